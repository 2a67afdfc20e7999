-- class: sql
-- tries: to start programs and to read files on the server's machine
-- needs: pg
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local ways = {
    "COPY toys FROM PROGRAM 'id'", "COPY toys TO PROGRAM 'cat > " .. run.data.folder .. "/owned'", "COPY toys FROM '/etc/passwd'", "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')", "SELECT pg_ls_dir('/')", "SELECT lo_export(1, '" .. run.data.folder .. "/owned')", "CREATE EXTENSION plpython3u",
    "CREATE FUNCTION f() RETURNS int AS '/lib/x86_64-linux-gnu/libc.so.6', 'system' LANGUAGE c", "LOAD 'x'", "COPY toys FROM STDIN", "COPY toys TO STDOUT",
  }
  for _, sql in ipairs(ways) do
    if core.pg.query("shop", sql) then return job.OK, sql end
  end
  return job.OK, "held"
end

return job
