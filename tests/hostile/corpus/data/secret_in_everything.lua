-- class: data
-- tries: to leave a secret that one may use in all that a run leaves
-- holds: COMPLETE "***"

local job = core.job()

function job.run(run)
  local secret = core.secret("CANARY")
  core.log(secret, { secret }, "key=" .. secret .. "&x")
  print(secret)
  job.save_info({ secret = secret })
  job.warn("W", "%s", secret)
  core.data("secrets"):save({ _id = "s", value = secret })
  assert(core.data("secrets"):get("s").value ~= secret)
  return job.OK, secret
end

return job
