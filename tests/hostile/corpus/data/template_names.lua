-- class: data
-- tries: to replace what templates can call by values of the same name
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local names = { "self", "range", "dict", "lipsum", "cycler", "namespace", "__class__", "_context", "super", "caller" }
  for _, name in ipairs(names) do
    local _, problem = core.template.render("letter.txt", { name = "x", [name] = { __class__ = { __mro__ = "x" } } })
    if problem and problem:find("Traceback") then return job.OK, problem end
  end
  return job.OK, "held"
end

return job
