-- core.email.new() gives a message; its methods are called with a colon and give the message again.
local native, sandbox = ...
local select, type, rawlen, rawget = select, type, rawlen, rawget
local NULL = sandbox.NULL

--- A message. Each method but `send` gives the message again.
---@class core.email.Message
---@field to fun(self: core.email.Message, ...: string|string[]): core.email.Message Recipients; further calls add.
---@field cc fun(self: core.email.Message, ...: string|string[]): core.email.Message Those who get a copy.
---@field bcc fun(self: core.email.Message, ...: string|string[]): core.email.Message Those who get a copy unseen.
---@field from fun(self: core.email.Message, address: string): core.email.Message The sender.
---@field replyTo fun(self: core.email.Message, address: string): core.email.Message Where answers go.
---@field subject fun(self: core.email.Message, text: string): core.email.Message The subject, one line.
---@field text fun(self: core.email.Message, text: string): core.email.Message The plain text.
---@field body fun(self: core.email.Message, text: string): core.email.Message The plain text.
---@field html fun(self: core.email.Message, text: string): core.email.Message The text as HTML.
---@field tag fun(self: core.email.Message, text: string): core.email.Message A word for sorting.
---@field requireTls fun(self: core.email.Message, on: boolean): core.email.Message Send with TLS only.
---@field skipVerification fun(self: core.email.Message, on: boolean): core.email.Message Take any certificate.
---@field testMode fun(self: core.email.Message, on: boolean): core.email.Message Check, and send nothing.
local Message = {}
Message.__index = Message
Message.__metatable = false

-- Several texts, or lists of them; further calls add.
local function add_to(list, ...)
  for position = 1, select("#", ...) do
    local value = (select(position, ...))
    if type(value) == "table" and value ~= NULL then
      for inner = 1, rawlen(value) do list[#list + 1] = rawget(value, inner) end
    else
      list[#list + 1] = value == nil and NULL or value
    end
  end
end

for _, field in ipairs({ "to", "cc", "bcc" }) do
  Message[field] = function(self, ...)
    add_to(self.draft[field], ...)
    return self
  end
end

local function setter(field)
  return function(self, value)
    self.draft[field] = value
    return self
  end
end

for _, field in ipairs({
  "from", "replyTo", "subject", "text", "html", "tag", "requireTls", "skipVerification", "testMode",
}) do
  Message[field] = setter(field)
end
Message.body = setter("text")

--- Add a file to the message.
---@param name string
---@param content string
---@return core.email.Message
function Message:attach(name, content)
  local list = self.draft.attachments
  list[#list + 1] = { name = name, content = content }
  return self
end

--- Send the message.
---@return { id: string, refused: table<string, string>, test: boolean? }? sent
---@return string? problem
---@return integer? code
function Message:send() return native.send(self.draft) end

---@class core.email
local email = {}

--- Begin a message. Mailgun's arguments are ignored.
---@param key? string
---@return core.email.Message
function email.new(key)
  if key ~= nil then native.mailgun() end
  return setmetatable({ draft = { to = {}, cc = {}, bcc = {}, attachments = {} } }, Message)
end

return email
