-- The functions of `core` that need no engine: text, JSON, identifiers.
local modules = ...
local rpc, stack, text, codec, encoder = modules.rpc, modules.stack, modules.text, modules.codec, modules.encoder
local sources, md5 = modules.sources, modules.md5
local type, raw_tostring = type, tostring
local find, sub, byte = string.find, string.sub, string.byte

local WRONG_TYPE, MISSING = 801, 804

-- Returns the string, or nil, message, code.
local function text_argument(name, value)
  if type(value) == "string" then return value end
  if type(value) == "number" then return raw_tostring(value) end
  if value == nil then return nil, name .. ": text is required", MISSING end
  return nil, name .. ": text must be a string, got " .. text.describe(value), WRONG_TYPE
end

local function is_space(code)
  return code == 32 or (code >= 9 and code <= 13)
end

-- By hand: the pattern for this takes quadratic time on long runs of blanks.
local function trim(value)
  local source, problem, code = text_argument("core.trim", value)
  if not source then return nil, problem, code end
  local first, last = 1, #source
  while first <= last and is_space(byte(source, first)) do first = first + 1 end
  while last >= first and is_space(byte(source, last)) do last = last - 1 end
  return sub(source, first, last)
end

local function split(value, separator)
  local source, problem, code = text_argument("core.split", value)
  if not source then return nil, problem, code end
  if separator == nil then separator = "," end
  if type(separator) ~= "string" or separator == "" then
    return nil, "core.split: the separator must be a string that is not empty", WRONG_TYPE
  end
  local fields, from = {}, 1
  while true do
    local first, last = find(source, separator, from, true)
    fields[#fields + 1] = sub(source, from, (first or 0) - 1)
    if not first then return fields end
    from = last + 1
  end
end

local function checked_md5(value)
  local source, problem, code = text_argument("core.md5", value)
  if not source then return nil, problem, code end
  return md5(source)
end

-- The first byte of an answer says whether it is one: "+" or "-".
local function answer(reply)
  local body = sub(reply, 2)
  if byte(reply) == 43 then return body end
  return nil, body
end

local function encode(value)
  local bytes, problem = encoder.encode(value, true)
  if bytes then bytes, problem = answer(rpc("json_encode", bytes)) end
  if bytes then return bytes end
  return nil, "core.json.encode: " .. problem, 831
end

local function decode(source)
  if type(source) ~= "string" then
    return nil, "core.json.decode: JSON text is required, got " .. text.describe(source), 830
  end
  local bytes, problem = answer(rpc("json_decode", source))
  if bytes then return codec.decode(bytes) end
  return nil, "core.json.decode: " .. problem, 830
end

-- JSON's null decodes to nil, so the message alone tells success from failure.
local function raising(convert)
  return function(value)
    local result, problem = convert(value)
    if problem then stack.raise(problem) end
    return result
  end
end

return {
  json = { encode = raising(encode), decode = raising(decode) },
  json_safe = { encode = encode, decode = decode },
  sf = text.format,
  trim = trim,
  split = split,
  md5 = checked_md5,
  uuid = sources.uuid,
}
