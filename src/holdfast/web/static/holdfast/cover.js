/* Covers a page of a report that nobody has used for a while.

   For what: whoever walks by later sees nothing of it. Never does: send anything, or
   lose what was being written: it is still there under the cover. The server closes the
   visit by itself after the same time; this only draws the curtain. A browser that knows
   no <dialog> goes without. */
(function () {
  "use strict";
  var dialog = document.querySelector("[data-cover]");
  if (!dialog || !dialog.showModal) return;
  var idle_ms = Number(dialog.getAttribute("data-cover")) * 1000;
  var used_at = Date.now();

  function used() {
    if (!dialog.open) used_at = Date.now();
  }

  /* A telephone that slept has not run its timers, so the clock is asked. */
  function look() {
    if (!dialog.open && Date.now() - used_at >= idle_ms) dialog.showModal();
  }

  ["keydown", "pointerdown", "scroll", "input"].forEach(function (name) {
    document.addEventListener(name, used, { passive: true });
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, 1000);

  /* Escape would lift it by mistake. */
  dialog.addEventListener("cancel", function (event) {
    event.preventDefault();
  });
  dialog.querySelector("button").addEventListener("click", function () {
    dialog.close();
    used();
  });
})();
