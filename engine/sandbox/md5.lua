-- MD5 (RFC 1321).
local floor, abs, sin, string_pack, string_unpack, rep = math.floor, math.abs, math.sin, string.pack, string.unpack, string.rep
local raw_format = string.format

local MASK = 0xffffffff
local SHIFTS = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } }
local constants

local function make_constants()
  local list = {}
  for i = 1, 64 do
    list[i] = floor(abs(sin(i)) * 4294967296.0)
  end
  return list
end

local function mix(i, b, c, d)
  if i < 16 then return (b & c) | (~b & d), i end
  if i < 32 then return (d & b) | (~d & c), (5 * i + 1) % 16 end
  if i < 48 then return b ~ c ~ d, (3 * i + 5) % 16 end
  return c ~ (b | (~d & MASK)), (7 * i) % 16
end

local function block(data, at, a0, b0, c0, d0)
  local words = { string_unpack("<I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4", data, at) }
  local a, b, c, d = a0, b0, c0, d0
  for i = 0, 63 do
    local mixed, word = mix(i, b, c, d)
    local sum = (a + mixed + constants[i + 1] + words[word + 1]) & MASK
    local shift = SHIFTS[i // 16 + 1][i % 4 + 1]
    a, d, c, b = d, c, b, (b + ((sum << shift) | (sum >> (32 - shift)))) & MASK
  end
  return (a0 + a) & MASK, (b0 + b) & MASK, (c0 + c) & MASK, (d0 + d) & MASK
end

--- Return the digest of a string as 32 lower-case hexadecimal digits.
return function(message)
  constants = constants or make_constants()
  local padding = "\x80" .. rep("\0", (55 - #message) % 64)
  local data = message .. padding .. string_pack("<I8", #message * 8)
  local a, b, c, d = 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476
  for at = 1, #data, 64 do
    a, b, c, d = block(data, at, a, b, c, d)
  end
  local digest = string_pack("<I4I4I4I4", a, b, c, d)
  return (raw_format(rep("%02x", 16), string_unpack(rep("B", 16), digest)))
end
