/* "Leave this page" on the portal.

   For what: a person who is being watched gets away from the page at once, by the
   button, by the skip link or by pressing Shift three times. Never does: send, store
   or log anything about the report; the one thing kept is a mark in this tab that says
   "was left", so that the back button does not bring the page up again.

   The page is emptied first and left second: the network may be slow. The address to
   go to comes from the server (data-leave-url); without JavaScript the button is an
   ordinary link to it, and what the page says of Shift stays hidden (data-scripts). */
(function () {
  "use strict";
  var MARK = "left";
  var PRESSES = 3;
  var WITHIN_MS = 5000;
  var url = document.currentScript.getAttribute("data-leave-url");
  var presses = 0;
  var timer;

  function leave() {
    document.title = "\u00a0";
    document.documentElement.replaceChildren();
    try {
      sessionStorage.setItem(MARK, "1");
    } catch (refused) {
      /* Storage is off; the page is still left. */
    }
    /* replace(), so that this entry of the history becomes the neutral page. */
    location.replace(url);
  }

  function cameBack() {
    var entry = performance.getEntriesByType("navigation")[0];
    return Boolean(entry) && entry.type === "back_forward";
  }

  function wasLeft() {
    try {
      return sessionStorage.getItem(MARK) === "1";
    } catch (refused) {
      return false;
    }
  }

  function forget() {
    try {
      sessionStorage.removeItem(MARK);
    } catch (refused) {
      /* Nothing was kept. */
    }
  }

  if (wasLeft()) {
    if (cameBack()) {
      leave();
      return;
    }
    /* Somebody opened the page anew, by its address or a link: that is wanted. */
    forget();
  }

  /* The browser may bring a page up from memory without running this file again. */
  addEventListener("pageshow", function (event) {
    if (event.persisted && wasLeft()) leave();
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("[data-leave]")) {
      event.preventDefault();
      leave();
    }
  });

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-scripts]").forEach(function (promise) {
      promise.hidden = false;
    });
  });

  function say(words) {
    var place = document.querySelector("[data-leave-count]");
    if (place) place.textContent = words ? place.getAttribute("data-words") : "";
  }

  function reset() {
    presses = 0;
    clearTimeout(timer);
    say(false);
  }

  /* Shift pressed with a letter is somebody writing a capital, not leaving. */
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Shift") reset();
  });
  document.addEventListener("keyup", function (event) {
    if (event.key !== "Shift") return;
    presses += 1;
    if (presses >= PRESSES) {
      leave();
      return;
    }
    say(true);
    clearTimeout(timer);
    timer = setTimeout(reset, WITHIN_MS);
  });
})();
