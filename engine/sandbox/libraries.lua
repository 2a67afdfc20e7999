-- `require`: library modules come from the engine, as text.
local modules = ...
local rpc, stack, compile, raw = modules.rpc, modules.stack, modules.compile, modules.raw
local type, raw_setmetatable, error = type, raw.setmetatable, raw.error
local find, gsub, sub, byte = string.find, string.gsub, string.sub, string.byte

local loaded, loading = {}, {}
local REQUIRE_RULE = 'require: only modules below jobs/lib can be loaded, such as require "lib.money"'

local function check_module_name(name)
  local good = type(name) == "string"
    and find(name, "^lib%.[%w_][%w_%.]*$")
    and not find(name, "..", 1, true)
    and sub(name, -1) ~= "."
  if not good then stack.raise(REQUIRE_RULE) end
end

local function while_loading(name)
  loading[name] = true
  return raw_setmetatable({}, { __close = function() loading[name] = nil end })
end

local function fetch_module(name)
  local reply = rpc("require", name)
  if byte(reply) == 45 then stack.raise("require: " .. sub(reply, 2)) end
  local chunk, problem = compile(sub(reply, 2), "@" .. gsub(name, "%.", "/") .. ".lua")
  if not chunk then error(problem, 0) end
  return chunk
end

local function require_module(name)
  check_module_name(name)
  if loaded[name] ~= nil then return loaded[name] end
  if loading[name] then stack.raise("require: " .. name .. " needs itself, directly or by another module") end
  local _ <close> = while_loading(name)
  local value = fetch_module(name)(name)
  if value == nil then value = true end
  loaded[name] = value
  return value
end

return require_module
