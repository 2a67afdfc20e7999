-- class: boundary
-- tries: to give the engine numbers that JSON cannot hold
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, number in ipairs({ 0 / 0, 1 / 0, -1 / 0 }) do
    if pcall(core.json.encode, { number }) then return job.OK, "encoded" end
    if core.data("numbers"):save({ _id = "n", number = number }) then return job.OK, "saved" end
    if pcall(function() assert(core.data("numbers"):save({ [number] = 1 })) end) then return job.OK, "as a key" end
  end
  return job.OK, "held"
end

return job
