-- class: environment
-- tries: to find a function that gives more than it should by calling all of them with odd arguments
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local waits = { sleep = true, run = true }
  local function try(name, value)
    if type(value) ~= "function" or waits[name] then return end
    for _, argument in ipairs({ "no such file anywhere", -1, true, {}, run.data.file }) do
      local results = { pcall(value, argument) }
      for i = 2, #results do
        if type(results[i]) == "userdata" or type(results[i]) == "thread" and name ~= "create" and name ~= "running" then error(name, 0) end
      end
    end
  end
  for _, library in ipairs({ "string", "table", "math", "os", "utf8", "coroutine" }) do
    for name, value in next, _G[library] do try(name, value) end
  end
  return job.OK, "held"
end

return job
