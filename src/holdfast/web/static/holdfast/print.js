/* "Print this page", where scripts run; without them the browser's own menu prints. */
(function () {
  "use strict";
  var place = document.querySelector("[data-print]");
  if (!place) return;
  place.hidden = false;
  place.querySelector("button").addEventListener("click", function () {
    window.print();
  });
})();
