-- Lua values as MessagePack. Raw access only: no metamethod of a job's value ever runs here.
local modules = ...
local rpc, NULL = modules.rpc, modules.codec.NULL
local type, next, rawget, rawequal = type, next, rawget, rawequal
local error, pcall, select = modules.raw.error, pcall, select
local math_type, tointeger, huge = math.type, math.tointeger, math.huge
local string_pack, byte, char = string.pack, string.byte, string.char
local concat, utf8_len, raw_tostring = table.concat, utf8.len, modules.raw.tostring

local MAX_DEPTH = 32
local MAX_NODES = 100000
local MAX_BYTES = 1048576
local MAX_LARGE_BYTES = 17 * 1048576
local MAX_JSON_BYTES = 10 * 1048576

local encoder = {}

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
function encoder.encode(value, json)
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
function encoder.encode_arguments(large, ...)
  begin(false, large and MAX_LARGE_BYTES or MAX_BYTES)
  local bytes, problem = finish(pcall(encode_arguments, select("#", ...), ...))
  if bytes then return bytes end
  return nil, "argument " .. raw_tostring(argument) .. ": " .. problem
end

return encoder
