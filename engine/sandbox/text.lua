-- Values as text: never an address, so that the same run gives the same text.
local modules = ...
local stack = modules.stack
local raw = modules.raw
local type, next, rawget, pcall, select, tonumber = type, next, rawget, pcall, select, tonumber
local raw_tostring, raw_setmetatable, raw_getmetatable = raw.tostring, raw.setmetatable, raw.getmetatable
local raw_format, find, sub = raw.format, string.find, string.sub
local concat, sort, pack, unpack = table.concat, table.sort, table.pack, table.unpack
local math_type, floor, ceil = math.type, math.floor, math.ceil

local MAX_DEPTH = 8
local MAX_NODES = 2000
local MAX_TEXT = 65536

local text = {}
local numbers = raw_setmetatable({}, { __mode = "k" })
local last_number = 0

local function numbered(value)
  local number = numbers[value]
  if not number then
    last_number = last_number + 1
    number = last_number
    numbers[value] = number
  end
  return type(value) .. ": " .. number
end

local function has_tostring(value)
  local meta = raw_getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

local OBJECTS = { table = true, ["function"] = true, thread = true, userdata = true }

--- `tostring`, with a number per state in the place of the address.
function text.tostring(...)
  local value = ...
  if select("#", ...) > 0 and OBJECTS[type(value)] and not has_tostring(value) then return numbered(value) end
  return stack.call(raw_tostring, ...)
end

local PLAIN = { string = true, boolean = true, ["nil"] = true }

local function needs_no_help(template, ...)
  if find(template, "%p", 1, true) or find(template, "%u", 1, true) then return false end
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if not PLAIN[type(value)] and math_type(value) ~= "integer" then return false end
  end
  return true
end

local WHOLE = { d = true, i = true, x = true, X = true, o = true, c = true, u = true }

-- LuaJIT cuts the fraction for %d; Lua 5.5 refuses it.
local function whole(value)
  local number = tonumber(value)
  if math_type(number) ~= "float" then return value end
  return number >= 0 and floor(number) or ceil(number)
end

local function fit(kind, value)
  if WHOLE[kind] then return whole(value) end
  if kind == "s" and OBJECTS[type(value)] then return text.tostring(value) end
  return value
end

--- `string.format` with the leniency of Lua 5.1: `%d` takes fractions, `%s` any value; no addresses.
function text.format(template, ...)
  if type(template) ~= "string" or needs_no_help(template, ...) then
    return stack.call(raw_format, template, ...)
  end
  local values, count, from, pieces = pack(...), 0, 1, {}
  while true do
    local first, last, options, kind = find(template, "%%([-+ #0]*%d*%.?%d*)(.)", from)
    if not first then break end
    if kind == "p" then stack.raise("string.format: %p is not available in jobs: it would show an address") end
    if kind ~= "%" then
      count = count + 1
      if count <= values.n then values[count] = fit(kind, values[count]) end
    end
    pieces[#pieces + 1] = sub(template, from, first) .. options .. (kind == "u" and "d" or kind)
    from = last + 1
  end
  pieces[#pieces + 1] = sub(template, from)
  return stack.call(raw_format, concat(pieces), unpack(values, 1, values.n))
end

local function key_order(a, b)
  local type_a, type_b = type(a), type(b)
  if type_a ~= type_b then return type_a < type_b end
  if type_a == "number" or type_a == "string" then return a < b end
  return false
end

local function sorted_keys(value)
  local keys = {}
  for key in next, value do
    keys[#keys + 1] = key
    if #keys > MAX_NODES then break end
  end
  sort(keys, key_order)
  return keys
end

local write

local function write_key(state, key)
  if type(key) == "string" and find(key, "^[%a_][%w_]*$") then return key .. " = " end
  if type(key) == "string" then return raw_format("[%q] = ", key) end
  if type(key) == "number" or type(key) == "boolean" then return "[" .. raw_tostring(key) .. "] = " end
  return "[" .. type(key) .. "] = "
end

local function write_table(state, value, depth)
  if state.open[value] then return "(itself)" end
  if depth > MAX_DEPTH then return "{...}" end
  state.open[value] = true
  local parts, expected = {}, 1
  for _, key in next, sorted_keys(value) do
    if state.nodes > MAX_NODES then
      parts[#parts + 1] = "..."
      break
    end
    local item = write(state, rawget(value, key), depth + 1)
    if key == expected then
      expected = expected + 1
    else
      item = write_key(state, key) .. item
    end
    parts[#parts + 1] = item
  end
  state.open[value] = nil
  return "{" .. concat(parts, ", ") .. "}"
end

local function write_object(value)
  local ok, result = pcall(raw_tostring, value)
  if ok and type(result) == "string" then return result end
  return type(value)
end

function write(state, value, depth)
  state.nodes = state.nodes + 1
  local kind = type(value)
  if kind == "string" then return depth == 1 and value or '"' .. stack.cut(value) .. '"' end
  if kind == "table" and not has_tostring(value) then return write_table(state, value, depth) end
  if kind == "table" then return write_object(value) end
  if OBJECTS[kind] then return numbered(value) end
  return raw_tostring(value)
end

--- Any value as readable text of at most 64 KiB; never raises.
function text.readable(value)
  if type(value) == "string" then return value end
  return stack.cut(write({ open = {}, nodes = 0 }, value, 1), MAX_TEXT)
end

--- The text of an error value; runs no metamethods.
function text.of_error(value)
  if type(value) == "string" then return stack.cut(value) end
  if type(value) == "table" and not has_tostring(value) then
    return stack.cut("error value: " .. text.readable(value))
  end
  if OBJECTS[type(value)] then return "error value: a " .. type(value) end
  return "error value: " .. raw_tostring(value)
end

--- What a value is, in a few words, for messages.
function text.describe(value)
  local kind = type(value)
  if kind == "nil" or kind == "boolean" or kind == "number" then return raw_tostring(value) end
  if kind == "string" then return raw_format("the string %q", stack.cut(value, 40)) end
  return "a " .. kind
end

return text
