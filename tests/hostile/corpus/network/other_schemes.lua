-- class: network
-- tries: to speak with files and services by schemes that are none of the web
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local urls = {
    "file:///etc/passwd", "file://" .. run.data.file, "data:text/plain,hello", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_PING",
    "dict://127.0.0.1:11211/stats", "http+unix://" .. run.data.socket:gsub("/", "%%2F") .. "/", "unix:" .. run.data.socket,
    "ldap://127.0.0.1", "//127.0.0.1:" .. run.data.port, "jar:http://127.0.0.1!/", "HTTP:/\\127.0.0.1:" .. run.data.port,
  }
  for _, url in ipairs(urls) do
    local answer = core.network.get(url)
    if answer then return job.OK, url end
  end
  return job.OK, "held"
end

return job
