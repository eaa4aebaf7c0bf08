import assert from "node:assert/strict";
import { test } from "node:test";
import { droppingChains } from "./other-firewalls.ts";

test("chains that drop forwarded packets by default are found; accepting ones, other hooks, IPv6 and our own are not", () => {
  const listing = `table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
	}
}
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
	chain DOCKER-USER {
	}
}
table inet own {
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
table ip6 filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table ip lambent-0123abcd {
	chain through_host {
		type filter hook forward priority filter - 5; policy drop;
	}
}
`;
  assert.deepEqual(droppingChains(listing), ["ip filter FORWARD", "inet own forward"]);
  assert.deepEqual(droppingChains(""), []);
});
