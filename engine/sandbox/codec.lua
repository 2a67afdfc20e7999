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

-- What is being encoded. No code of a job runs meanwhile, so there is never more than one; and tables that stay
-- need not grow again with each call.
local pieces, count, size, most, nodes, for_json = {}, 0, 0, 0, 0, false
-- The tables around the value that is being encoded, the outermost first.
local around = {}
-- The argument that is being encoded.
local argument = 1

-- Short texts as they are encoded: a job passes the same names again and again.
local MOST_KNOWN = 64
local known, known_count = {}, 0

-- So little may stay in `pieces` until the next time.
local MOST_KEPT = 4096

-- Thrown inside the encoder and caught by it; a job cannot make one.
local refusal = {}

local function refuse(why)
  refusal.message = why
  error(refusal, 0)
end

local function emit(piece)
  size = size + #piece
  if size > most then refuse("it is larger than " .. most // 1048576 .. " MB") end
  count = count + 1
  pieces[count] = piece
end

local function emit_number(value)
  if math_type(value) == "integer" then
    if value >= 0 and value < 128 then return emit(char(value)) end
    return emit(string_pack(">Bi8", 0xd3, value))
  end
  if value ~= value then refuse("it holds NaN") end
  if value == huge or value == -huge then refuse("it holds an infinite number") end
  local integer = for_json and tointeger(value)
  if integer then return emit_number(integer) end
  emit(string_pack(">Bd", 0xcb, value))
end

local function emit_short(value, length)
  local piece = char(0xa0 + length) .. value
  if known_count < MOST_KNOWN then
    known[value], known_count = piece, known_count + 1
  end
  emit(piece)
end

local function emit_string(value)
  local piece = known[value]
  if piece then return emit(piece) end
  local length = #value
  if length > most then refuse("it is larger than " .. most // 1048576 .. " MB") end
  if utf8_len(value) then
    if length < 32 then return emit_short(value, length) end
    if length < 256 then return emit(string_pack(">Bs1", 0xd9, value)) end
    emit(string_pack(">BI4", 0xdb, length))
    return emit(value)
  end
  if for_json then refuse("a string in it is not UTF-8 text") end
  emit(string_pack(">BI4", 0xc6, length))
  emit(value)
end

-- Returns the number of items and whether the keys are exactly 1..n.
local function shape(value)
  local items, highest, list = 0, 0, true
  for key in next, value do
    items = items + 1
    if list then
      if math_type(key) == "integer" and key > 0 then
        if key > highest then highest = key end
      else
        list = false
      end
    end
  end
  return items, list and highest == items and items > 0
end

local encode

local function encode_list(value, items, depth)
  if items < 16 then
    emit(char(0x90 + items))
  else
    emit(string_pack(">BI4", 0xdd, items))
  end
  for index = 1, items do
    encode(rawget(value, index), depth)
  end
end

local function encode_map(value, items, depth)
  if items < 16 then
    emit(char(0x80 + items))
  else
    emit(string_pack(">BI4", 0xdf, items))
  end
  for key, item in next, value do
    local kind = type(key)
    if kind == "string" then
      emit_string(key)
    elseif kind == "number" then
      emit_number(key)
    else
      refuse("it has a key that is a " .. kind .. "; keys must be strings or numbers")
    end
    encode(item, depth)
  end
end

local function encode_table(value, depth)
  if rawequal(value, NULL) then return emit("\xc0") end
  for outer = 1, depth do
    if rawequal(around[outer], value) then refuse("it contains itself") end
  end
  if depth >= MAX_DEPTH then refuse("its tables are nested deeper than 32 levels") end
  depth = depth + 1
  around[depth] = value
  local items, list = shape(value)
  local encode_items = list and encode_list or encode_map
  encode_items(value, items, depth)
  around[depth] = nil
end

function encode(value, depth)
  nodes = nodes + 1
  if nodes > MAX_NODES then refuse("it has more than 100000 values") end
  local kind = type(value)
  if kind == "string" then return emit_string(value) end
  if kind == "number" then return emit_number(value) end
  if kind == "table" then return encode_table(value, depth) end
  if kind == "boolean" then return emit(value and "\xc3" or "\xc2") end
  if kind == "nil" then return emit("\xc0") end
  refuse("it holds a " .. kind)
end

local function begin(json, most_bytes)
  count, size, nodes, argument = 0, 0, 0, 1
  for_json, most = json, most_bytes
end

local function has_room()
  return size <= MAX_BYTES or byte(rpc("room", raw_tostring(size))) == 43
end

local function forget()
  pieces, around = {}, {}
end

-- Another error than a refusal is the interpreter's (memory): it goes on its way.
local function finish(ok, problem)
  if not ok then
    forget()
    if rawequal(problem, refusal) then return nil, refusal.message end
    error(problem, 0)
  end
  if not has_room() then
    forget()
    return nil, "there is no room in the job's memory to send it; see the setting `memory`"
  end
  local bytes = concat(pieces, "", 1, count)
  if size > MOST_KEPT then forget() end
  return bytes
end

--- Encode one value; `json` writes whole floats as integers, refuses text that is not UTF-8, and takes 10 MB.
--- Returns the bytes, or nil and why not ("it holds a function").
function codec.encode(value, json)
  begin(json, json and MAX_JSON_BYTES or MAX_BYTES)
  return finish(pcall(encode, value, 0))
end

local function encode_arguments(arguments, ...)
  emit(string_pack(">BI4", 0xdd, arguments))
  for index = 1, arguments do
    argument = index
    encode((select(index, ...)), 0)
  end
end

--- Encode the arguments as one list, nils included; large ones may have 17 MB, others 1 MB.
--- Returns the bytes, or nil and why not ("argument 2: it holds a function").
function codec.encode_arguments(large, ...)
  begin(false, large and MAX_LARGE_BYTES or MAX_BYTES)
  local bytes, problem = finish(pcall(encode_arguments, select("#", ...), ...))
  if bytes then return bytes end
  return nil, "argument " .. raw_tostring(argument) .. ": " .. problem
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
