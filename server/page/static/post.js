// Posts the request to the agent. Without scripts the button does.
"use strict";
document.getElementById("post").submit();
