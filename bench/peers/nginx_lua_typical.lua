-- The gateway's job in nginx as an integrator would write it in an afternoon: nginx's own form parser, lua-luaossl for
-- the ciphers, an object for each field, base64, and nginx's own escaping for what goes on. Neither normalised nor
-- deterministic: three fields and the city by keyed hash, the message by AES-256-GCM under a random nonce.

local hmac = require "openssl.hmac"
local cipher = require "openssl.cipher"
local rand = require "openssl.rand"

local hash_key = string.rep("k", 32)
local seal_key = string.rep("s", 32)

local function base64url(bytes)
  return (ngx.encode_base64(bytes, true):gsub("[+/]", { ["+"] = "-", ["/"] = "_" }))
end

local function keyed_hash(name, value)
  return base64url(hmac.new(hash_key, "sha256"):final(name .. "\0" .. value))
end

local function sealed(value)
  local nonce = rand.bytes(12)
  local gcm = cipher.new("aes-256-gcm"):encrypt(seal_key, nonce)
  local text = gcm:final(value)
  return base64url(nonce .. text .. gcm:getTag(16))
end

local order = { "name", "email", "phone", "city", "message" }

local M = {}

function M.protect()
  if ngx.req.get_method() ~= "POST" then return ngx.exit(405) end
  ngx.req.read_body()
  local form, failed = ngx.req.get_post_args(20)
  if not form or failed then return ngx.exit(400) end
  local parts = {}
  for i, name in ipairs(order) do
    local value = form[name]
    if type(value) ~= "string" then return ngx.exit(422) end
    form[name] = nil
    if name == "message" then value = sealed(value) else value = keyed_hash(name, value) end
    parts[i] = name .. "=" .. ngx.escape_uri(value)
  end
  if next(form) then return ngx.exit(422) end
  ngx.req.set_body_data(table.concat(parts, "&"))
end

return M
