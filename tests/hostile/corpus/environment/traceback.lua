-- class: environment
-- tries: to read the engine's own code and places out of a traceback
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local texts = {}
  local function collect() texts[#texts + 1] = debug.traceback("x", 1) end
  table.sort({ 3, 1, 2 }, function(a, b) collect() return a < b end)
  string.gsub("x", "x", collect)
  core.json.encode(setmetatable({}, { __index = collect }))
  xpcall(function() error("x") end, collect)
  coroutine.wrap(collect)()
  for _, text in ipairs(texts) do
    if text:find("prelude") or text:find("/") and not text:find("environment/traceback.lua") then return job.OK, text end
  end
  return job.OK, "held"
end

return job
