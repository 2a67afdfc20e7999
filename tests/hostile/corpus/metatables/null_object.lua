-- class: metatables
-- tries: to change core.NULL for everybody
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local null = core.NULL
  if getmetatable(null) ~= false then return job.OK, "its metatable is seen" end
  if pcall(setmetatable, null, {}) then return job.OK, "changed" end
  rawset(null, "x", function() end)
  core.data("nulls"):save({ _id = "n", value = null })
  return job.OK, core.data("nulls"):get("n").value == nil and "held" or "kept something else"
end

return job
