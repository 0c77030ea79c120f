-- Values brought to one form, as docs/token-format.md section 8 says and as far as Lua can without
-- Unicode tables: everything but NFC, white space beyond U+00A0, and domains in other scripts, which
-- are refused. In place, in an FFI buffer; each returns the new size, or nil for what the gateway
-- refuses.

local ffi = require "ffi"
local bit = require "bit"

local band = bit.band

local function class_of(pattern)
  local tab = ffi.new("uint8_t[256]")
  for c = 0, 255 do
    if string.char(c):find(pattern) then tab[c] = 1 end
  end
  return tab
end

local LOCAL = class_of("[a-z0-9!#$%%&'*+/=?^_`{|}~.\128-\255-]")
local LABEL = class_of("[a-z0-9_-]")
local SPACE = class_of("[\9-\13 ]")
local SEPARATOR = class_of("[\9-\13 ./-]")

-- The bytes of the UTF-8 sequence at b[i], or nil. Neither overlong nor a surrogate nor beyond
-- U+10FFFF (RFC 3629).
local function sequence(b, i, size)
  local c = b[i]
  local c1 = i + 1 < size and b[i + 1] or 0
  if c < 0xC2 or band(c1, 0xC0) ~= 0x80 then return nil end
  if c < 0xE0 then return 2 end
  if i + 2 >= size or band(b[i + 2], 0xC0) ~= 0x80 then return nil end
  if c < 0xF0 then
    if (c == 0xE0 and c1 < 0xA0) or (c == 0xED and c1 > 0x9F) then return nil end
    return 3
  end
  if c > 0xF4 or i + 3 >= size or band(b[i + 3], 0xC0) ~= 0x80 then return nil end
  if (c == 0xF0 and c1 < 0x90) or (c == 0xF4 and c1 > 0x8F) then return nil end
  return 4
end

local M = {}

function M.text(b, size)
  local i = 0
  while i < size do
    if b[i] < 0x80 then
      i = i + 1
    else
      local n = sequence(b, i, size)
      if not n then return nil end
      i = i + n
    end
  end
  return size
end

-- Invisible characters go, runs of white space become one space, none at the ends. The case stays.
function M.name(b, size)
  local from, to, gap = 0, 0, false
  while from < size do
    local c = b[from]
    local n, space, invisible = 1, SPACE[c] == 1, false
    if c >= 0x80 then
      n = sequence(b, from, size)
      if not n then return nil end
      local c1 = b[from + 1]
      space = c == 0xC2 and c1 == 0xA0
      invisible = (c == 0xC2 and c1 == 0xAD) or
        (c == 0xE2 and c1 == 0x80 and b[from + 2] >= 0x8B and b[from + 2] <= 0x8F)
    elseif c < 0x20 and not space or c == 0x7F then
      return nil
    end
    if space then
      gap = to > 0
    elseif not invisible then
      if gap then
        b[to] = 0x20
        to = to + 1
        gap = false
      end
      for k = 0, n - 1 do b[to + k] = b[from + k] end
      to = to + n
    end
    from = from + n
  end
  return to > 0 and to or nil
end

local function trimmed(b, size)
  local first = 0
  while first < size and SPACE[b[first]] == 1 do first = first + 1 end
  while size > first and SPACE[b[size - 1]] == 1 do size = size - 1 end
  return first, size
end

-- Lower case; one "@"; a local part of atext, dots and UTF-8; a domain of labels.
function M.email(b, size)
  local first, last = trimmed(b, size)
  local to, at, label = 0, -1, 0
  for i = first, last - 1 do
    local c = b[i]
    if c >= 0x41 and c <= 0x5A then c = c + 32 end
    if at < 0 then
      if c == 0x40 then
        if to == 0 or to > 64 then return nil end
        at, label = to, 0
      elseif LOCAL[c] == 0 then
        return nil
      end
    elseif c == 0x2E then
      if label == 0 or label > 63 or b[to - 1] == 0x2D then return nil end
      label = 0
    elseif LABEL[c] == 0 or (label == 0 and c == 0x2D) then
      return nil
    else
      label = label + 1
    end
    b[to] = c
    to = to + 1
  end
  if at < 0 or label == 0 or label > 63 or b[to - 1] == 0x2D or to > 254 then return nil end
  if M.text(b, at) == nil then return nil end
  return to
end

-- E.164 for a form of a French site: separators go; "+" or "00" begin an international number, a
-- leading zero a French one of ten digits.
function M.phone(b, size)
  local first, last = trimmed(b, size)
  local digits, plus = 0, false
  for i = first, last - 1 do
    local c = b[i]
    if c >= 0x30 and c <= 0x39 then
      if digits == 20 then return nil end
      b[digits] = c
      digits = digits + 1
    elseif c == 0x2B then
      if plus or digits > 0 then return nil end
      plus = true
    elseif SEPARATOR[c] == 0 then
      return nil
    end
  end
  local skip, french = 0, false
  if not plus then
    if digits > 2 and b[0] == 0x30 and b[1] == 0x30 then
      skip = 2
    elseif digits == 10 and b[0] == 0x30 and b[1] ~= 0x30 then
      skip, french = 1, true
    else
      return nil
    end
  end
  local count = digits - skip
  if not french and b[skip] == 0x33 and b[skip + 1] == 0x33 then -- +33 and nine digits
    if count == 12 and b[skip + 2] == 0x30 then -- a trunk prefix behind the country code
      for i = skip + 2, digits - 2 do b[i] = b[i + 1] end
      count = 11
    end
    if count ~= 11 or b[skip + 2] == 0x30 then return nil end
  end
  if count < 8 or count > 15 or b[skip] == 0x30 then return nil end
  local lead = french and 3 or 1
  -- Digits move to behind "+" or "+33"; towards the end first where they would overlap.
  if skip >= lead then
    for i = 0, count - 1 do b[lead + i] = b[skip + i] end
  else
    for i = count - 1, 0, -1 do b[lead + i] = b[skip + i] end
  end
  b[0] = 0x2B
  if french then b[1], b[2] = 0x33, 0x33 end
  return lead + count
end

return M
