-- class: sql
-- tries: to set options of the driver that lead to files
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local options = {
    "unix_socket", "read_default_file", "init_command", "local_infile", "ssl", "ssl_ca", "sslkey", "passfile", "service", "options",
    "hostaddr", "sslcert", "charset", "client_flag", "auth_plugin_map",
  }
  for _, module in ipairs({ core.mysql, core.pg }) do
    for _, option in ipairs(options) do
      local rows, _, code = module.query({ database = "x", user = "y", host = "127.0.0.1", [option] = run.data.file }, "SELECT 1")
      if rows or code ~= 801 then return job.OK, { option, tostring(code) } end
    end
  end
  return job.OK, "held"
end

return job
