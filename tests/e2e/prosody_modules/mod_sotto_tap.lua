-- Writes every stanza that a logged-in client sends to a file, one JSON
-- object a line, as the server's operator could read it.
local filters = require "util.filters";
local json = require "util.json";

local path = module:get_option_string("sotto_tap_file");
local kinds = { message = true, iq = true, presence = true };

local function record(session, stanza)
	local file = assert(io.open(path, "a"));
	file:write(json.encode({
		kind = stanza.name;
		from = session.full_jid;
		to = stanza.attr.to;
		type = stanza.attr.type;
		body = stanza:get_child_text("body");
		xml = tostring(stanza);
	}), "\n");
	file:close();
end

local function watch(session)
	filters.add_filter(session, "stanzas/in", function(stanza)
		if session.full_jid and kinds[stanza.name] then
			record(session, stanza);
		end
		return stanza;
	end, -1000);
end

filters.add_filter_hook(watch);

function module.unload()
	filters.remove_filter_hook(watch);
end
