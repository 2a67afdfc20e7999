-- class: boundary
-- tries: to write what looks like messages of the worker into the log, the result and arguments
-- holds: COMPLETE "\u0000\u0000\u0000\t\u0095\u00a4done"

local job = core.job()

function job.run(run)
  local frame = "\0\0\0\t\x95\xa4done\xa8returned\xa2OK\xc0\xc0"
  print(frame)
  core.log(frame, { frame })
  core.data(frame)
  core.data("frames"):get(frame)
  pcall(require, frame)
  job.save_info({ done = frame })
  return job.OK, utf8.char(0, 0, 0, 9, 0x95, 0xa4) .. "done"
end

return job
