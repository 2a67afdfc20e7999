-- class: environment
-- tries: to break the engine's own Lua by replacing every library function under it
-- holds: COMPLETE {"saved": true, "json": "[1,2]"}

local job = core.job()

function job.run(run)
  local names = { "string", "table", "math", "utf8", "coroutine", "os" }
  local raise, forbidden = error, {}
  local function poison() raise(forbidden) end
  for _, library in ipairs(names) do
    for name in next, _G[library] do _G[library][name] = poison end
  end
  _G.pairs, ipairs, next, type, tostring, select, error, pcall, setmetatable, rawget = nil
  core.log("still here", { 1, "x" })
  local id = core.data("poisoned"):save({ _id = "one", value = 1 })
  return job.OK, { saved = id == "one", json = core.json.encode({ 1, 2 }) }
end

return job
