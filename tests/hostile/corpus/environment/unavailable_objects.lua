-- class: environment
-- tries: to take the objects apart that stand in for what is missing
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, name in ipairs({ "io", "package", "load", "dofile", "collectgarbage" }) do
    local object = _G[name]
    if getmetatable(object) ~= false or next(object) ~= nil then return job.OK, name end
    if pcall(setmetatable, object, {}) then return job.OK, "changed " .. name end
    if pcall(function() object.x = 1 end) then return job.OK, "written " .. name end
    rawset(object, "open", "own")
    if _G[name].open ~= "own" then return job.OK, "odd " .. name end
  end
  return job.OK, "held"
end

return job
