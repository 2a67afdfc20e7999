-- class: sql
-- tries: to read and write files of the server's machine
-- needs: mysql
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local rows = core.mysql.query("shop", "SELECT LOAD_FILE('/etc/passwd') AS text")
  if rows and rows[1] and rows[1].text then return job.OK, "read" end
  if core.mysql.query("shop", "SELECT 'x' INTO OUTFILE '" .. run.data.folder .. "/owned'") then return job.OK, "written" end
  if core.mysql.query("shop", "SELECT 'x' INTO DUMPFILE '" .. run.data.folder .. "/owned'") then return job.OK, "dumped" end
  return job.OK, "held"
end

return job
