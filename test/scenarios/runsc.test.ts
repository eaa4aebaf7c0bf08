/** Bad functions on runsc. */
import { testBadFunctions } from "./bad-functions.ts";

testBadFunctions("runsc");
