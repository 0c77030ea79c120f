-- The gateway's job in nginx as a careful integrator would write it: the same fields, normalised,
-- protected and spelt as docs/token-format.md says, so that the gateway's witness accepts them.
--
--   name, email, phone   derived tokens      city   pseudonym      message   encrypted value
--
-- Bytes go through FFI buffers from the body that nginx read to the body that it sends, and LuaJIT
-- compiles all of it; the only Lua strings made are the five names and the finished body.

local ffi = require "ffi"
local bit = require "bit"
local cjson = require "cjson"
local ciphers = require "lua.ciphers"
local normalise = require "lua.normalise"
local token_text = require "lua.token_text"

local band, lshift = bit.band, bit.lshift
local sub = string.sub

local MAX_BODY = 16384
local MAX_TEXT = 16384 -- what one field may become, at most

local value = ffi.new("unsigned char[?]", MAX_BODY)
local out = ffi.new("unsigned char[?]", 4 * MAX_BODY)
local input_type = ffi.typeof("const unsigned char *")

local HEX = ffi.new("int8_t[256]")
for c = 0, 255 do HEX[c] = tonumber(string.char(c):match("%x") or "-1", 16) end

-- What is behind "=" as an application would read it; its size, or nil for a bad escape.
local function decode(from, first, last)
  local size = 0
  while first < last do
    local c = from[first]
    if c == 0x2B then
      c = 0x20
    elseif c == 0x25 then
      if first + 2 >= last then return nil end
      local high, low = HEX[from[first + 1]], HEX[from[first + 2]]
      if high < 0 or low < 0 then return nil end
      c = lshift(high, 4) + low
      first = first + 2
    end
    value[size] = c
    size = size + 1
    first = first + 1
  end
  return size
end

-- Somebody's token, sent back to be wrapped once more: refused, as the gateway does.
local function is_own_token(size)
  if size < 46 or band(value[0], 0xDF) ~= 0x50 or band(value[1], 0xDF) ~= 0x56 then return false end
  return value[3] == 0x31 or value[3] == 0x5F
end

local protect = {}

local function derived(key_id, kind, least, normal_form)
  local slot = ciphers.new_derived(key_id, kind, least)
  local prefix = token_text.bech32m_prefix("pvd")
  return function(size, at)
    size = normal_form(value, size)
    size = size and ciphers.derive(slot, value, size)
    return size and token_text.write_bech32m(prefix, ciphers.body, size, out, at)
  end
end

local function pseudonym(key_id, kind, normal_form)
  local slot = ciphers.new_pseudonym(key_id, kind)
  local prefix = token_text.bech32m_prefix("pvh")
  return function(size, at)
    size = normal_form(value, size)
    if not size then return nil end
    size = ciphers.pseudonymise(slot, value, size)
    return token_text.write_bech32m(prefix, ciphers.body, size, out, at)
  end
end

local function encrypted(key_id, kind, least, normal_form)
  local slot = ciphers.new_encrypted(key_id, kind, least)
  return function(size, at)
    size = normal_form(value, size)
    if not size or size > ciphers.max_value then return nil end
    size = ciphers.encrypt(slot, value, size)
    return token_text.write_long("pve_", ciphers.body, size, out, at)
  end
end

local M = {}

function M.start()
  ciphers.try_kept_siv()
  token_text.try()
  protect.name = derived(1, 2, 64, normalise.name)
  protect.email = derived(2, 3, 64, normalise.email)
  protect.phone = derived(3, 4, 32, normalise.phone)
  protect.city = pseudonym(4, 2, normalise.name)
  protect.message = encrypted(5, 1, 16, normalise.text)
end

-- One pass over the body. A field that no rule names, a bad escape or a value that is none of its
-- kind refuses the whole form.
local function rewrite(body)
  local from = ffi.cast(input_type, body)
  local first, size, at = 0, #body, 0
  while first < size do
    local equals = first
    while equals < size and from[equals] ~= 0x3D do
      if from[equals] == 0x26 then return nil end
      equals = equals + 1
    end
    if equals == size then return nil end
    local stop = equals + 1
    while stop < size and from[stop] ~= 0x26 do stop = stop + 1 end
    local write = protect[sub(body, first + 1, equals)]
    if not write then return nil end
    if at > 4 * MAX_BODY - 2 * MAX_TEXT then return nil end
    ffi.copy(out + at, from + first, equals + 1 - first)
    at = at + equals + 1 - first
    local decoded = decode(from, equals + 1, stop)
    if not decoded or is_own_token(decoded) then return nil end
    if decoded > 0 then
      at = write(decoded, at)
      if not at then return nil end
    end
    if stop < size then
      out[at] = 0x26
      at = at + 1
    end
    first = stop + 1
  end
  return ffi.string(out, at)
end

-- The batch of events as the same integrator would: cjson, the three values of each event through the ciphers above.
local function one(write, text)
  local size = #text
  if size == 0 or size > MAX_BODY then return nil end
  ffi.copy(value, text, size)
  if is_own_token(size) then return nil end
  local at = write(size, 0)
  return at and ffi.string(out, at)
end

function M.protect_batch()
  if ngx.req.get_method() ~= "POST" then return ngx.exit(405) end
  if ngx.var.content_type ~= "application/json" then return ngx.exit(415) end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local told, message = pcall(cjson.decode, body or "")
  if not told or type(message) ~= "table" then return ngx.exit(400) end
  for _, event in ipairs(message.batch) do
    local traits = event.context.traits
    traits.email = one(protect.email, traits.email)
    traits.name = one(protect.city, traits.name)
    traits.note = one(protect.message, traits.note)
    if not traits.email or not traits.name or not traits.note then return ngx.exit(422) end
  end
  ngx.req.set_body_data(cjson.encode(message))
end

function M.protect()
  if ngx.req.get_method() ~= "POST" then return ngx.exit(405) end
  if ngx.var.content_type ~= "application/x-www-form-urlencoded" then return ngx.exit(415) end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if not body or #body > MAX_BODY then return ngx.exit(413) end
  local protected = rewrite(body)
  if not protected then return ngx.exit(422) end
  ngx.req.set_body_data(protected)
end

return M
