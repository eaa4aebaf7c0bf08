/** Bad functions on runc. */
import { testBadFunctions } from "./bad-functions.ts";

testBadFunctions("runc");
