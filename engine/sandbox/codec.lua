-- Lua values as MessagePack and back. Raw access only: no metamethod of a job's value ever runs here.
local rpc = (...).rpc
local type, next, rawget, rawequal, rawlen = type, next, rawget, rawequal, rawlen
local error, pcall, select = error, pcall, select
local math_type, tointeger, huge = math.type, math.tointeger, math.huge
local string_pack, string_unpack, byte, char, sub = string.pack, string.unpack, string.byte, string.char, string.sub
local concat, unpack, utf8_len, raw_tostring = table.concat, table.unpack, utf8.len, tostring

local MAX_DEPTH = 32
local MAX_NODES = 100000
local MAX_BYTES = 1048576
local MAX_LARGE_BYTES = 17 * 1048576
local MAX_JSON_BYTES = 10 * 1048576

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

-- Thrown inside the encoder and caught by it; a job cannot make one.
local refusal = {}

local function refuse(state, why)
  refusal.message = why
  error(refusal, 0)
end

local function emit(state, piece)
  local size = state.size + #piece
  if size > state.most then refuse(state, "it is larger than " .. state.most // 1048576 .. " MB") end
  state.size = size
  local count = state.count + 1
  state.count = count
  state[count] = piece
end

local function emit_number(state, value)
  if math_type(value) == "integer" then
    if value >= 0 and value < 128 then return emit(state, char(value)) end
    return emit(state, string_pack(">Bi8", 0xd3, value))
  end
  if value ~= value then refuse(state, "it holds NaN") end
  if value == huge or value == -huge then refuse(state, "it holds an infinite number") end
  local integer = state.json and tointeger(value)
  if integer then return emit_number(state, integer) end
  emit(state, string_pack(">Bd", 0xcb, value))
end

local function emit_string(state, value)
  local length = #value
  if length > state.most then refuse(state, "it is larger than " .. state.most // 1048576 .. " MB") end
  if utf8_len(value) then
    if length < 32 then return emit(state, char(0xa0 + length) .. value) end
    if length < 256 then return emit(state, string_pack(">Bs1", 0xd9, value)) end
    emit(state, string_pack(">BI4", 0xdb, length))
    return emit(state, value)
  end
  if state.json then refuse(state, "a string in it is not UTF-8 text") end
  emit(state, string_pack(">BI4", 0xc6, length))
  emit(state, value)
end

-- Returns the number of items and whether the keys are exactly 1..n.
local function shape(value)
  local count, highest, list = 0, 0, true
  for key in next, value do
    count = count + 1
    if math_type(key) == "integer" and key > 0 then
      if key > highest then highest = key end
    else
      list = false
    end
  end
  return count, list and highest == count and count > 0
end

local encode

local function encode_list(state, value, count, depth)
  if count < 16 then
    emit(state, char(0x90 + count))
  else
    emit(state, string_pack(">BI4", 0xdd, count))
  end
  for index = 1, count do
    encode(state, rawget(value, index), depth)
  end
end

local function encode_map(state, value, count, depth)
  if count < 16 then
    emit(state, char(0x80 + count))
  else
    emit(state, string_pack(">BI4", 0xdf, count))
  end
  for key, item in next, value do
    local kind = type(key)
    if kind == "string" then
      emit_string(state, key)
    elseif kind == "number" then
      emit_number(state, key)
    else
      refuse(state, "it has a key that is a " .. kind .. "; keys must be strings or numbers")
    end
    encode(state, item, depth)
  end
end

local function encode_table(state, value, depth)
  if rawequal(value, NULL) then return emit(state, "\xc0") end
  if state.open[value] then refuse(state, "it contains itself") end
  if depth >= MAX_DEPTH then refuse(state, "its tables are nested deeper than 32 levels") end
  state.open[value] = true
  local count, list = shape(value)
  if list then
    encode_list(state, value, count, depth + 1)
  else
    encode_map(state, value, count, depth + 1)
  end
  state.open[value] = nil
end

function encode(state, value, depth)
  local nodes = state.nodes + 1
  if nodes > MAX_NODES then refuse(state, "it has more than 100000 values") end
  state.nodes = nodes
  local kind = type(value)
  if kind == "string" then return emit_string(state, value) end
  if kind == "number" then return emit_number(state, value) end
  if kind == "table" then return encode_table(state, value, depth) end
  if kind == "boolean" then return emit(state, value and "\xc3" or "\xc2") end
  if kind == "nil" then return emit(state, "\xc0") end
  refuse(state, "it holds a " .. kind)
end

local function new_state(json, most)
  return { size = 0, count = 0, nodes = 0, open = {}, json = json, most = most }
end

local function has_room(size)
  return size <= MAX_BYTES or byte(rpc("room", raw_tostring(size))) == 43
end

-- Another error than a refusal is the interpreter's (memory): it goes on its way.
local function finish(state, ok, problem)
  if ok and not has_room(state.size) then
    return nil, "there is no room in the job's memory to send it; see the setting `memory`"
  end
  if ok then return concat(state, "", 1, state.count) end
  if rawequal(problem, refusal) then return nil, refusal.message end
  error(problem, 0)
end

--- Encode one value; `json` writes whole floats as integers, refuses text that is not UTF-8, and takes 10 MB.
--- Returns the bytes, or nil and why not ("it holds a function").
function codec.encode(value, json)
  local state = new_state(json, json and MAX_JSON_BYTES or MAX_BYTES)
  return finish(state, pcall(encode, state, value, 0))
end

local function encode_arguments(state, count, ...)
  emit(state, string_pack(">BI4", 0xdd, count))
  for index = 1, count do
    state.argument = index
    encode(state, (select(index, ...)), 0)
  end
end

--- Encode the arguments as one list, nils included; large ones may have 17 MB, others 1 MB.
--- Returns the bytes, or nil and why not ("argument 2: it holds a function").
function codec.encode_arguments(large, ...)
  local state = new_state(false, large and MAX_LARGE_BYTES or MAX_BYTES)
  local bytes, problem = finish(state, pcall(encode_arguments, state, select("#", ...), ...))
  if bytes then return bytes end
  return nil, "argument " .. raw_tostring(state.argument or 1) .. ": " .. problem
end

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
  local list = decode(data, at, 0)
  local count = rawlen(list)
  for index = 1, count do
    if rawequal(list[index], NULL) then list[index] = nil end
  end
  return unpack(list, 1, count)
end

return codec
