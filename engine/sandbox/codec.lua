-- MessagePack as Lua values; encoder.lua is the way back.
local rawequal, rawlen, error = rawequal, rawlen, error
local string_unpack, byte, sub = string.unpack, string.byte, string.sub
local tointeger, unpack = math.tointeger, table.unpack

local MAX_DEPTH = 32

local codec = {}

local function null_error()
  error("core.NULL cannot be changed", 2)
end

codec.NULL = setmetatable({}, {
  __metatable = false,
  __tostring = function() return "NULL" end,
  __newindex = null_error,
})
local NULL = codec.NULL

local decode

local function decode_string(data, at, length)
  if at + length - 1 > #data then error("message cut short", 0) end
  return sub(data, at, at + length - 1), at + length
end

local function decode_items(data, at, count, depth)
  if depth > MAX_DEPTH then error("a value is nested deeper than 32 levels", 0) end
  local list = {}
  for index = 1, count do
    local item
    item, at = decode(data, at, depth)
    if item == nil then item = NULL end
    list[index] = item
  end
  return list, at
end

local function decode_pairs(data, at, count, depth)
  if depth > MAX_DEPTH then error("a value is nested deeper than 32 levels", 0) end
  local map = {}
  for _ = 1, count do
    local key, item
    key, at = decode(data, at, depth)
    item, at = decode(data, at, depth)
    if key ~= nil then map[key] = item end
  end
  return map, at
end

-- Above 2^63-1 there is no Lua integer; the nearest float stands in.
local function unsigned(value)
  if value < 0 then return (value >> 1) * 2.0 + (value & 1) end
  return value
end

-- Numbers and texts, as `string.unpack` reads them: a table of strings costs a new state less than functions would.
local FORMATS = {
  [0xca] = ">f", [0xcb] = ">d",
  [0xcc] = ">B", [0xcd] = ">I2", [0xce] = ">I4", [0xcf] = ">i8",
  [0xd0] = ">b", [0xd1] = ">i2", [0xd2] = ">i4", [0xd3] = ">i8",
  [0xc4] = ">s1", [0xc5] = ">s2", [0xc6] = ">s4",
  [0xd9] = ">s1", [0xda] = ">s2", [0xdb] = ">s4",
}

-- The number of items in a list, or of pairs in a map, likewise.
local COUNTS = { [0xdc] = ">I2", [0xdd] = ">I4", [0xde] = ">I2", [0xdf] = ">I4" }

local function decode_counted(data, at, tag, depth)
  if not COUNTS[tag] then error("a value of an unknown type", 0) end
  local count, from = string_unpack(COUNTS[tag], data, at)
  local decode_each = tag < 0xde and decode_items or decode_pairs
  return decode_each(data, from, count, depth + 1)
end

function decode(data, at, depth)
  local tag = byte(data, at)
  if not tag then error("message cut short", 0) end
  at = at + 1
  if tag < 0x80 then return tag, at end
  if tag < 0x90 then return decode_pairs(data, at, tag - 0x80, depth + 1) end
  if tag < 0xa0 then return decode_items(data, at, tag - 0x90, depth + 1) end
  if tag < 0xc0 then return decode_string(data, at, tag - 0xa0) end
  if tag >= 0xe0 then return tag - 0x100, at end
  if tag == 0xc0 then return nil, at end
  if tag == 0xc2 or tag == 0xc3 then return tag == 0xc3, at end
  local format = FORMATS[tag]
  if not format then return decode_counted(data, at, tag, depth) end
  local value, after = string_unpack(format, data, at)
  if tag == 0xcf then return unsigned(value), after end
  if tag == 0xcb or tag == 0xca then return tointeger(value) or value, after end
  return value, after
end

--- Decode one value: nil in lists becomes core.NULL, in maps nothing; whole floats become integers.
function codec.decode(data)
  return (decode(data, 1, 0))
end

--- Decode a list into several values, nils included. It begins at byte `at`.
function codec.decode_values(data, at)
  -- Most functions return one value.
  if byte(data, at) == 0x91 then return (decode(data, at + 1, 1)) end
  local list = decode(data, at, 0)
  local count = rawlen(list)
  for index = 1, count do
    if rawequal(list[index], NULL) then list[index] = nil end
  end
  return unpack(list, 1, count)
end

return codec
