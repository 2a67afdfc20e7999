-- class: data
-- tries: to take over the terminal of whoever reads the log
-- holds: COMPLETE "written"

local job = core.job()

function job.run(run)
  core.log("\27]0;owned\7\27[2J\27[1;1H", "\0\8\127\xc2\x9b31m")
  core.log("a\rb\r\nc\vd\fe")
  core.log.warn("\27[8mhidden\27[0m")
  job.warn("\27[2J", "\27]52;c;b3duZWQ=\7")
  print("\u{202e}txt.exe\u{202c}\u{2028}new line")
  return job.OK, "written"
end

return job
