// Looks whether the signature has come, and reloads the page when it has, or when the time
// is over. Without scripts the page reloads itself now and then.
"use strict";
(() => {
  const status = document.getElementById("wait");
  const pause = 2000; // milliseconds
  const look = async () => {
    try {
      const answer = await fetch(status.dataset.status, { cache: "no-store", credentials: "same-origin" });
      if (answer.ok && (await answer.json()).phase !== "open") {
        location.reload();
        return;
      }
    } catch {
      // The network is away for a moment.
    }
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
})();
