-- The keyed part of the gateway's job: LuaJIT calling libcrypto through FFI, every algorithm fetched
-- once and every context keyed once per worker. docs/token-format.md sections 2 to 6.
--
--   derive         AES-256-SIV over the frame, header and context string as associated data
--   pseudonymise   HMAC-SHA-256 over LP(ctx) | LP(value), cut to 20 bytes
--   encrypt        XAES-256-GCM with a random nonce of 24 bytes
--
-- Each leaves header | payload in `body` and returns its size. The one thing that the gateway does
-- and this does not is to hedge the nonce with a MAC over the frame: no reader can tell.

local ffi = require "ffi"
local bit = require "bit"

local C = ffi.load("crypto")
ffi.cdef [[
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct {
  const char *key; unsigned int data_type; void *data; size_t data_size; size_t return_size;
} OSSL_PARAM;
typedef struct {
  uint32_t h[8]; uint32_t low, high; uint32_t data[16]; unsigned int used, size;
} SHA256_CTX;
EVP_CIPHER *EVP_CIPHER_fetch(void *ctx, const char *algorithm, const char *properties);
EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);
int EVP_CIPHER_CTX_set_params(EVP_CIPHER_CTX *ctx, const OSSL_PARAM params[]);
int EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int pad);
int EVP_EncryptInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const unsigned char *key,
                        const unsigned char *iv, const OSSL_PARAM params[]);
int EVP_EncryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl, const unsigned char *in,
                      int inl);
int EVP_EncryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl);
int SHA256_Init(SHA256_CTX *ctx);
int SHA256_Update(SHA256_CTX *ctx, const void *data, size_t size);
int SHA256_Final(unsigned char *digest, SHA256_CTX *ctx);
OSSL_PARAM OSSL_PARAM_construct_uint(const char *key, unsigned int *buf);
OSSL_PARAM OSSL_PARAM_construct_end(void);
int RAND_bytes(unsigned char *buf, int num);
]]

local band, bxor, lshift, rshift = bit.band, bit.bxor, bit.lshift, bit.rshift
local copy, fill = ffi.copy, ffi.fill

local GET_TAG = 0x10 -- EVP_CTRL_AEAD_GET_TAG
local HEADER, SIV, NONCE, TAG = 6, 16, 24, 16
local DERIVED, PSEUDONYM, ENCRYPTED = 2, 3, 4
local NONCE_POOL = 4096
local BUCKETS = { 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024 }
local MAX_VALUE = 8192

local body = ffi.new("unsigned char[?]", MAX_VALUE + 2048)
local frame = ffi.new("unsigned char[?]", MAX_VALUE + 1024)
local written = ffi.new("int[1]")
local nonces = ffi.new("unsigned char[?]", NONCE_POOL)
local nonces_used = NONCE_POOL
local subkey_blocks = ffi.new("unsigned char[32]")
local subkey = ffi.new("unsigned char[32]")
local digest = ffi.new("unsigned char[32]")
local sha_size = ffi.sizeof("SHA256_CTX")
local sha = ffi.new("SHA256_CTX[1]")
local length_prefix = ffi.new("unsigned char[2]")

local function check(result)
  if result ~= 1 then error("libcrypto refused an operation") end
end

-- Keys of a benchmark: the same in each worker, because a worker that is started anew has to make the tokens of the one
-- before (the witness counts them). Minimal standard generator (Park and Miller 1988).
local function key_bytes(size)
  local bytes = ffi.new("unsigned char[?]", size)
  local state = size
  for i = 0, size - 1 do
    state = state * 16807 % 2147483647
    bytes[i] = band(rshift(state, 8), 255)
  end
  return bytes
end

local function u16(number)
  return string.char(rshift(number, 8), band(number, 255))
end

local function header_of(algorithm, key_id)
  return string.char(1, algorithm, 0, 0, rshift(key_id, 8), band(key_id, 255))
end

-- "PVT1" | alg | LP of four ids of 16 bytes and an empty scope | key version | normaliser
local function context_of(algorithm, kind)
  local text = "PVT1" .. string.char(algorithm)
  for _ = 1, 4 do text = text .. u16(16) .. ffi.string(key_bytes(16), 16) end
  return text .. u16(0) .. u16(0) .. u16(1) .. string.char(kind, 1)
end

-- A context whose key schedule and associated data are set once. OpenSSL's SIV allows one message
-- per context unless "speed" is set, which allows any number under the same associated data: the
-- cheapest way through its public interface (a fresh key per message costs 2.5 us, a copied context
-- 0.9 us). It holds for messages of a block or more only: OpenSSL 3.0 doubles the kept S2V state in
-- place for a shorter one. A frame is never shorter than a block, and start() tries it.
local function new_siv(key, ad)
  local context = C.EVP_CIPHER_CTX_new()
  local cipher = C.EVP_CIPHER_fetch(nil, "AES-256-SIV", nil)
  check(C.EVP_EncryptInit_ex2(context, cipher, key, nil, nil))
  local speed = ffi.new("unsigned int[1]", 1)
  local params = ffi.new("OSSL_PARAM[2]")
  params[0] = C.OSSL_PARAM_construct_uint("speed", speed)
  params[1] = C.OSSL_PARAM_construct_end()
  check(C.EVP_CIPHER_CTX_set_params(context, params))
  check(C.EVP_EncryptUpdate(context, nil, written, ad, #ad))
  return context
end

local function bucket_for(size, least)
  local needed = size + 6
  if needed <= least then return least end
  for i = 1, #BUCKETS do
    if needed <= BUCKETS[i] then return BUCKETS[i] end
  end
  return needed + (1024 - needed % 1024) % 1024
end

-- version, kind, length (32 bits, big-endian), value, zeros up to the bucket
local function make_frame(at, kind, value, size, bucket)
  at[0], at[1], at[2], at[3] = 1, kind, 0, 0
  at[4], at[5] = rshift(size, 8), band(size, 255)
  copy(at + 6, value, size)
  fill(at + 6 + size, bucket - size - 6)
end

local M = { body = body, max_value = MAX_VALUE }

function M.new_derived(key_id, kind, least)
  local header = header_of(DERIVED, key_id)
  return {
    header = header, kind = kind, least = least,
    siv = new_siv(key_bytes(64), header .. context_of(DERIVED, kind)),
  }
end

function M.derive(slot, value, size)
  local bucket = bucket_for(size, slot.least)
  if bucket > 512 then return nil end
  make_frame(frame, slot.kind, value, size, bucket)
  copy(body, slot.header, HEADER)
  check(C.EVP_EncryptUpdate(slot.siv, body + HEADER + SIV, written, frame, bucket))
  check(C.EVP_CIPHER_CTX_ctrl(slot.siv, GET_TAG, SIV, body + HEADER))
  return HEADER + SIV + bucket
end

-- The states behind the padded key and LP(ctx), copied for each value: EVP would look its digest up
-- and hash the context string again.
function M.new_pseudonym(key_id, kind)
  local key = key_bytes(32)
  local context = context_of(PSEUDONYM, kind)
  local slot = {
    header = header_of(PSEUDONYM, key_id),
    inner = ffi.new("SHA256_CTX[1]"), outer = ffi.new("SHA256_CTX[1]"),
  }
  local pad = ffi.new("unsigned char[64]")
  for _, part in ipairs { { slot.inner, 0x36 }, { slot.outer, 0x5c } } do
    for i = 0, 63 do pad[i] = bxor(i < 32 and key[i] or 0, part[2]) end
    C.SHA256_Init(part[1])
    C.SHA256_Update(part[1], pad, 64)
  end
  local prefix = u16(#context) .. context
  C.SHA256_Update(slot.inner, prefix, #prefix)
  return slot
end

function M.pseudonymise(slot, value, size)
  copy(sha, slot.inner, sha_size)
  length_prefix[0], length_prefix[1] = rshift(size, 8), band(size, 255)
  C.SHA256_Update(sha, length_prefix, 2)
  C.SHA256_Update(sha, value, size)
  C.SHA256_Final(digest, sha)
  copy(sha, slot.outer, sha_size)
  C.SHA256_Update(sha, digest, 32)
  C.SHA256_Final(digest, sha)
  copy(body, slot.header, HEADER)
  copy(body + HEADER, digest, 20)
  return HEADER + 20
end

-- XAES-256-GCM (C2SP): the subkey is two blocks of AES under the key, then AES-256-GCM under it.
function M.new_encrypted(key_id, kind, least)
  local header = header_of(ENCRYPTED, key_id)
  local blocks = C.EVP_CIPHER_CTX_new()
  check(C.EVP_EncryptInit_ex2(blocks, C.EVP_CIPHER_fetch(nil, "AES-256-ECB", nil),
    key_bytes(32), nil, nil))
  check(C.EVP_CIPHER_CTX_set_padding(blocks, 0))
  local zero = ffi.new("unsigned char[16]")
  local k1 = ffi.new("unsigned char[16]")
  check(C.EVP_EncryptUpdate(blocks, k1, written, zero, 16))
  local high = rshift(k1[0], 7)
  for i = 0, 15 do
    k1[i] = bxor(band(lshift(k1[i], 1), 255), i < 15 and rshift(k1[i + 1], 7) or high * 0x87)
  end
  local gcm = C.EVP_CIPHER_CTX_new()
  check(C.EVP_EncryptInit_ex2(gcm, C.EVP_CIPHER_fetch(nil, "AES-256-GCM", nil), nil, nil, nil))
  local ad = header .. context_of(ENCRYPTED, kind)
  return { header = header, kind = kind, least = least, blocks = blocks, k1 = k1, gcm = gcm, ad = ad }
end

local function make_subkey(slot, nonce)
  for i = 0, 1 do
    local block = subkey_blocks + 16 * i
    block[0], block[1], block[2], block[3] = 0, i + 1, 0x58, 0
    copy(block + 4, nonce, 12)
    for j = 0, 15 do block[j] = bxor(block[j], slot.k1[j]) end
  end
  check(C.EVP_EncryptUpdate(slot.blocks, subkey, written, subkey_blocks, 32))
end

function M.encrypt(slot, value, size)
  if nonces_used + NONCE > NONCE_POOL then
    check(C.RAND_bytes(nonces, NONCE_POOL))
    nonces_used = 0
  end
  local bucket = bucket_for(size, slot.least)
  make_frame(frame, slot.kind, value, size, bucket)
  local nonce = nonces + nonces_used
  nonces_used = nonces_used + NONCE
  make_subkey(slot, nonce)
  copy(body, slot.header, HEADER)
  copy(body + HEADER, nonce, NONCE)
  local at = body + HEADER + NONCE
  local gcm = slot.gcm
  check(C.EVP_EncryptInit_ex2(gcm, nil, subkey, nonce + 12, nil))
  check(C.EVP_EncryptUpdate(gcm, nil, written, slot.ad, #slot.ad))
  check(C.EVP_EncryptUpdate(gcm, at, written, frame, bucket))
  check(C.EVP_EncryptFinal_ex(gcm, at + bucket, written))
  check(C.EVP_CIPHER_CTX_ctrl(gcm, GET_TAG, TAG, at + bucket))
  return HEADER + NONCE + bucket + TAG
end

-- What matters of the kept context is that it gives, message after message, what a fresh one gives.
function M.try_kept_siv()
  local key = key_bytes(64)
  local kept = { header = header_of(DERIVED, 1), kind = 3, least = 64, siv = new_siv(key, "header") }
  for _, value in ipairs { "someone@example.org", "a", "someone@example.org" } do
    local first = ffi.string(body, M.derive(kept, value, #value))
    local fresh = { header = kept.header, kind = 3, least = 64, siv = new_siv(key, "header") }
    if first ~= ffi.string(body, M.derive(fresh, value, #value)) then
      error("a kept AES-SIV context does not repeat itself")
    end
  end
end

return M
