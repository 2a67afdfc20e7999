-- class: boundary
-- tries: to find a function of core that raises something of Python's
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local odd = { -1, "\0", ("x"):rep(9000), {}, true, core.NULL, print }
  local skipped = { sleep = true, jobs = true, job = true }
  local function try(value)
    if type(value) ~= "function" then return end
    for _, first in ipairs(odd) do
      for _, second in ipairs({ {}, "x" }) do
        local answers = { pcall(value, first, second, first) }
        for i = 1, #answers do assert(type(answers[i]) ~= "userdata") end
        if type(answers[3]) == "string" and answers[3]:find("Traceback") then error(answers[3]) end
        if type(answers[3]) == "string" and answers[3]:find("internal error") then error(answers[3]) end
      end
    end
  end
  for name, module in pairs(core) do
    if not skipped[name] and name ~= "network" and name ~= "email" then
      try(module)
      if type(module) == "table" then for _, value in next, module do try(value) end end
    end
  end
  return job.OK, "held"
end

return job
