-- class: data
-- tries: to leave the store by the name of a source
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, name in ipairs({ "../../etc/passwd", "/etc/passwd", "a\0b", "'; DROP TABLE run; --", "run", "sqlite_master", ".", ("x"):rep(200) }) do
    local source = core.data(name)
    source:save({ _id = "'; DROP TABLE job; --", value = name })
    local kept = source:get("'; DROP TABLE job; --")
    if kept and kept.value ~= name then return job.OK, name end
    source:delete("' OR '1'='1")
  end
  return job.OK, "held"
end

return job
