-- Token text: Bech32m, and base64url behind a prefix with a CRC-32C. docs/token-format.md section 7.
--
-- From bytes to bytes in FFI buffers, ten bits (two characters) at a step for Bech32m, twelve for
-- base64url and four bytes for the checksum, all by tables: no Lua string is made on the way.

local ffi = require "ffi"
local bit = require "bit"

local band, bor, bxor, lshift, rshift = bit.band, bit.bor, bit.bxor, bit.lshift, bit.rshift
local u16 = ffi.typeof("uint16_t *")
local i32 = ffi.typeof("const int32_t *")
local cast = ffi.cast

local BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
local BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local GENERATOR = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 }
local BECH32M = 0x2bc830a3

-- Two characters of `alphabet` for each number of twice `bits` bits, the first in the low byte.
local function pairs_of(alphabet, bits)
  local size = lshift(1, bits)
  local tab = ffi.new("uint16_t[?]", size * size)
  for i = 0, size * size - 1 do
    local first = alphabet:byte(rshift(i, bits) + 1)
    local second = alphabet:byte(band(i, size - 1) + 1)
    tab[i] = bor(first, lshift(second, 8))
  end
  return tab
end

local BECH32_PAIRS = pairs_of(BECH32, 5)
local BASE64_PAIRS = pairs_of(BASE64, 6)

local function step(state, value)
  local top = rshift(state, 25)
  state = bxor(lshift(band(state, 0x1ffffff), 5), value)
  for i = 1, 5 do
    if band(rshift(top, i - 1), 1) == 1 then state = bxor(state, GENERATOR[i]) end
  end
  return state
end

local FEEDBACK5 = ffi.new("int32_t[32]")
for i = 0, 31 do FEEDBACK5[i] = step(lshift(i, 25), 0) end
local FEEDBACK10 = ffi.new("int32_t[1024]")
for i = 0, 1023 do FEEDBACK10[i] = step(step(lshift(i, 20), 0), 0) end

local function step5(state, value)
  return bxor(lshift(band(state, 0x1ffffff), 5), value, FEEDBACK5[rshift(state, 25)])
end

local function step10(state, value)
  return bxor(lshift(band(state, 0xfffff), 10), value, FEEDBACK10[rshift(state, 20)])
end

local CRC = { [0] = ffi.new("int32_t[256]"), ffi.new("int32_t[256]"), ffi.new("int32_t[256]"),
  ffi.new("int32_t[256]") }
for i = 0, 255 do
  local value = i
  for _ = 1, 8 do
    value = bxor(rshift(value, 1), band(value, 1) == 1 and 0x82f63b78 or 0)
  end
  CRC[0][i] = value
end
for t = 1, 3 do
  for i = 0, 255 do
    local before = CRC[t - 1][i]
    CRC[t][i] = bxor(rshift(before, 8), CRC[0][band(before, 255)])
  end
end
local CRC0, CRC1, CRC2, CRC3 = CRC[0], CRC[1], CRC[2], CRC[3]

local M = {}

-- What a writer of one kind of token starts from: its part before the data, and the state behind it.
function M.bech32m_prefix(readable)
  local state = 1
  for i = 1, #readable do state = step5(state, rshift(readable:byte(i), 5)) end
  state = step5(state, 0)
  for i = 1, #readable do state = step5(state, band(readable:byte(i), 31)) end
  return { text = readable .. "1", state = state }
end

-- Writes the text of size > 0 bytes at out + at; returns where it ends.
function M.write_bech32m(prefix, bytes, size, out, at)
  ffi.copy(out + at, prefix.text, #prefix.text)
  at = at + #prefix.text
  local state = prefix.state
  local whole = size - size % 5
  for i = 0, whole - 1, 5 do
    local b0, b1, b2, b3, b4 = bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3], bytes[i + 4]
    local v1 = bor(lshift(b0, 2), rshift(b1, 6))
    local v2 = bor(lshift(band(b1, 63), 4), rshift(b2, 4))
    local v3 = bor(lshift(band(b2, 15), 6), rshift(b3, 2))
    local v4 = bor(lshift(band(b3, 3), 8), b4)
    state = step10(step10(step10(step10(state, v1), v2), v3), v4)
    local to = cast(u16, out + at)
    to[0], to[1], to[2], to[3] = BECH32_PAIRS[v1], BECH32_PAIRS[v2], BECH32_PAIRS[v3], BECH32_PAIRS[v4]
    at = at + 8
  end
  local rest = size - whole
  if rest > 0 then
    local b0 = bytes[whole]
    local b1 = rest > 1 and bytes[whole + 1] or 0
    local b2 = rest > 2 and bytes[whole + 2] or 0
    local b3 = rest > 3 and bytes[whole + 3] or 0
    local value = bor(lshift(b0, 2), rshift(b1, 6))
    state = step10(state, value)
    cast(u16, out + at)[0] = BECH32_PAIRS[value]
    at = at + 2
    if rest > 1 then
      value = bor(lshift(band(b1, 63), 4), rshift(b2, 4))
      state = step10(state, value)
      cast(u16, out + at)[0] = BECH32_PAIRS[value]
      at = at + 2
    end
    local last
    if rest == 3 then
      last = lshift(band(b2, 15), 1)
    elseif rest == 4 then
      value = bor(lshift(band(b2, 15), 6), rshift(b3, 2))
      state = step10(state, value)
      cast(u16, out + at)[0] = BECH32_PAIRS[value]
      at = at + 2
      last = lshift(band(b3, 3), 3)
    end
    if last then
      state = step5(state, last)
      out[at] = band(BECH32_PAIRS[lshift(last, 5)], 255)
      at = at + 1
    end
  end
  state = bxor(step10(step10(step10(state, 0), 0), 0), BECH32M)
  local to = cast(u16, out + at)
  to[0] = BECH32_PAIRS[rshift(state, 20)]
  to[1] = BECH32_PAIRS[band(rshift(state, 10), 1023)]
  to[2] = BECH32_PAIRS[band(state, 1023)]
  return at + 6
end

function M.crc32c(bytes, size)
  local state = -1
  local whole = size - size % 4
  for i = 0, whole - 1, 4 do
    state = bxor(state, cast(i32, bytes + i)[0])
    state = bxor(CRC3[band(state, 255)], CRC2[band(rshift(state, 8), 255)],
      CRC1[band(rshift(state, 16), 255)], CRC0[rshift(state, 24)])
  end
  for i = whole, size - 1 do
    state = bxor(rshift(state, 8), CRC0[band(bxor(state, bytes[i]), 255)])
  end
  return bit.bnot(state)
end

-- Appends the checksum to `bytes`, which has room for it, and writes the prefix and all as base64url.
function M.write_long(prefix, bytes, size, out, at)
  local crc = M.crc32c(bytes, size)
  bytes[size], bytes[size + 1] = rshift(crc, 24), band(rshift(crc, 16), 255)
  bytes[size + 2], bytes[size + 3] = band(rshift(crc, 8), 255), band(crc, 255)
  size = size + 4
  ffi.copy(out + at, prefix, #prefix)
  at = at + #prefix
  local whole = size - size % 3
  for i = 0, whole - 1, 3 do
    local b1 = bytes[i + 1]
    local to = cast(u16, out + at)
    to[0] = BASE64_PAIRS[bor(lshift(bytes[i], 4), rshift(b1, 4))]
    to[1] = BASE64_PAIRS[bor(lshift(band(b1, 15), 8), bytes[i + 2])]
    at = at + 4
  end
  local rest = size - whole
  if rest == 1 then
    cast(u16, out + at)[0] = BASE64_PAIRS[lshift(bytes[whole], 4)]
    at = at + 2
  elseif rest == 2 then
    local b1 = bytes[whole + 1]
    cast(u16, out + at)[0] = BASE64_PAIRS[bor(lshift(bytes[whole], 4), rshift(b1, 4))]
    out[at + 2] = band(BASE64_PAIRS[lshift(band(b1, 15), 8)], 255)
    at = at + 3
  end
  return at
end

function M.try()
  if M.crc32c(ffi.cast("const unsigned char *", "123456789"), 9) ~= bit.tobit(0xe3069283) then
    error("CRC-32C is wrong")
  end
end

return M
