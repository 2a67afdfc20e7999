-- class: data
-- tries: to fill the disk by files
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local made = 0
  for i = 1, 300 do
    if core.files.write("many/" .. i .. ".txt", ("x"):rep(1000)) then made = made + 1 end
  end
  local large = core.files.write("large.bin", ("x"):rep(100000))
  for i = 1, 300 do core.files.remove("many/" .. i .. ".txt") end
  core.files.remove("many")
  return job.OK, made < 250 and not large and "held" or made
end

return job
