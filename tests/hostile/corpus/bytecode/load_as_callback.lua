-- class: bytecode
-- tries: to let library functions call the loader
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local ways = {
    function() return coroutine.wrap(load)("return 1")() end,
    function() table.sort({ "return 1", "return 2" }, load) end,
    function() return (string.gsub("return 1", ".+", load)) end,
    function() return setmetatable({}, { __index = load })["return 1"] end,
    function() return xpcall(load, load, "return 1") and error("called", 0) end,
    function() return setmetatable({}, { __call = load })() end,
  }
  local reached = {}
  for number, way in ipairs(ways) do
    local ok, value = pcall(way)
    if ok and type(value) == "function" or value == "called" then reached[#reached + 1] = number end
  end
  return job.OK, #reached == 0 and "held" or reached
end

return job
