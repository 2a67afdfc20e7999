-- core.data("name") gives a source object; its methods are called with a colon.
local native, sandbox = ...
local NULL = sandbox.NULL

--- The documents of one source.
---@class core.data.Source
---@field name string
local Source = {}
Source.__index = Source
Source.__metatable = false

--- Return the document with this id, or the first that the query finds; nil if there is none.
---@param wanted string|table an id, or fields with the values they must have
---@return table? document
---@return string? problem
---@return integer? code
function Source:get(wanted) return native.get(self.name, wanted) end

--- Write a document: a new one, or in place of the one whose `_id` it has.
---@param object table
---@return string? id
---@return string? problem
---@return integer? code
function Source:save(object) return native.save(self.name, object) end

--- Remove the document with this id, or this document.
---@param wanted string|table an id, or a document with its `_id`
---@return boolean? removed whether it was there
---@return string? problem
---@return integer? code
function Source:delete(wanted) return native.delete(self.name, wanted) end

-- Calls with a table first, as in getPage({}, 1, 10), are taken as (query, page, perPage, sort).

--- Return one page of documents.
---@param page? integer counted from 1
---@param per_page? integer how many documents a page has; 20 without
---@param sort? any core.ASC (default) or core.DESC
---@param query? table what the documents must be like
---@return table[]? documents
---@return string? problem
---@return integer? code
function Source:getPage(page, per_page, sort, query)
  if type(page) == "table" and page ~= NULL then
    page, per_page, sort, query = per_page, sort, query, page
  end
  return native.getPage(self.name, page, per_page, sort, query)
end

--- Return the documents of a source, which comes to be with its first document.
---@param name string
---@return core.data.Source? source
---@return string? problem
---@return integer? code
return function(name)
  if type(name) ~= "string" or name == "" then
    return nil, "core.data: the source's name must be a string", name == nil and 804 or 801
  end
  return setmetatable({ name = name }, Source)
end
