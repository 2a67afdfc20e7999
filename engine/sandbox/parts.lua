-- The parts of the prelude. Some are made with the state; the late ones, compiled, when one is first asked for: a
-- state serves one run, and most runs need few of them.
local rpc, late, facades, manifests = ...
local load, error = load, error

local parts = {
  rpc = rpc,
  facades = facades,
  manifests = manifests,
  -- The interpreter's own functions that a late part needs, and that no facade has.
  raw = {
    setmetatable = setmetatable, tostring = tostring, error = error, load = load,
    getmetatable = debug.getmetatable, format = string.format,
  },
  -- How the run stands: whether `job.run` is under way, how long a line of its log may be, its zone, encoded.
  run = { on = false, line_bytes = 4096, zone = nil },
}

local function build(self, name)
  local compiled = late[name]
  if not compiled then return nil end
  local chunk, problem = load(compiled, "=moontide", "b", self.facade_env)
  if not chunk then error(problem, 0) end
  self[name] = chunk(self)
  late[name] = nil
  return self[name]
end

return setmetatable(parts, { __index = build })
