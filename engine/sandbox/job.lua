-- Job objects: what core.job() makes, and the codes. What else they have is in methods.lua.
local modules = ...
local stack = modules.stack
local type, next, rawlen, raw_setmetatable = type, next, rawlen, setmetatable

local job = {}
local settings_of = raw_setmetatable({}, { __mode = "k" })

local NO_SETTINGS = "\x80"

local CODES = { "OK", "SLEEP", "STOP", "EXIT", "RETRY" }
local methods, code_names = {}, {}

local CODE = {
  __metatable = false,
  __tostring = function(code) return "job." .. code_names[code] end,
  __newindex = function(code) stack.raise("job." .. code_names[code] .. " cannot be changed") end,
}

for i = 1, rawlen(CODES) do
  local code = raw_setmetatable({}, CODE)
  methods[CODES[i]], code_names[code] = code, CODES[i]
end

local JOB = { __index = methods, __metatable = false, __name = "job" }

--- `core.job(settings)`: a new job object that remembers its settings, encoded.
function job.new(settings)
  if settings == nil then settings = {} end
  if type(settings) ~= "table" then
    stack.raise("core.job: settings must be a table, got " .. modules.text.describe(settings))
  end
  local bytes, problem = NO_SETTINGS, nil
  if next(settings) ~= nil then bytes, problem = modules.encoder.encode(settings) end
  if not bytes then stack.raise("core.job: the settings cannot be used: " .. problem) end
  local object = raw_setmetatable({}, JOB)
  settings_of[object] = bytes
  return object
end

-- Most jobs need nothing of what else job objects have.
raw_setmetatable(methods, {
  __index = function(_, name)
    modules.methods(methods)
    raw_setmetatable(methods, nil)
    return methods[name]
  end,
})

--- The encoded settings of a job object; nil for any other value.
function job.settings(value)
  return type(value) == "table" and settings_of[value] or nil
end

--- The name of one of the codes; nil for any other value.
function job.code_name(value)
  return type(value) == "table" and code_names[value] or nil
end

return job
