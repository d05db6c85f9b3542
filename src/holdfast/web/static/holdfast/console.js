/* The console by keyboard.

   For what: j and k move between rows, n takes the next case, c claims, r goes to the reason for a reveal,
   d goes to the decision, p to what is perhaps a copy, h hides every picture, ? helps. Enter needs no code: the row
   that is chosen has its link in focus. Never does: act on a key pressed in a form
   field, with a modifier, or while a dialog is open; reveal, settle or decide by itself.

   A template names what a key means: data-key="c" on a button (pressed), a link
   (followed), a field or a form (focused). The keys can be switched off in the help,
   for people whose speech or tremor types letters (WCAG 2.1.4). */
(function () {
  "use strict";
  var OFF = "holdfast-keys-off";
  var TYPED_IN = "input:not([type=checkbox]):not([type=radio]), textarea, select, video, [contenteditable]";
  var FIELDS = "input:not([type=hidden]), select, textarea";

  function rows() {
    return Array.prototype.slice.call(document.querySelectorAll("[data-row]"));
  }

  function move(by) {
    var all = rows();
    if (!all.length) return;
    var at = all.findIndex(function (row) {
      return row.contains(document.activeElement);
    });
    var next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
    var row = all[Math.max(0, Math.min(all.length - 1, next))];
    row.querySelector("[data-row-link]").focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function press(key) {
    var row = document.activeElement && document.activeElement.closest("[data-row]");
    var target;
    /* In a list a key means the chosen row, and nothing while no row is chosen. */
    if (row) target = row.querySelector('[data-key="' + key + '"]');
    else target = document.querySelector(':not([data-row] *)[data-key="' + key + '"]');
    if (!target) return false;
    if (target.matches("form")) {
      /* A form is gone to and never sent, also one that has nothing but buttons. */
      target = target.querySelector(FIELDS) || target.querySelector("button");
      if (target) target.focus();
      return !!target;
    }
    if (target.matches("button, a")) target.click();
    else target.focus();
    return true;
  }

  function hidePictures() {
    document.querySelectorAll("[data-hideable]").forEach(function (frame) {
      frame.hidden = !frame.hidden;
      frame.nextElementSibling.hidden = !frame.hidden;
      var video = frame.querySelector("video");
      if (video) video.pause();
    });
  }

  function openDialog(id) {
    var dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
  }

  function switchedOff() {
    try {
      return localStorage.getItem(OFF) === "1";
    } catch (refused) {
      return false;
    }
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.defaultPrevented || event.repeat && !/^[jk]$/.test(event.key)) return;
    if (event.target.closest && event.target.closest(TYPED_IN)) return;
    if (document.querySelector("dialog[open]") || switchedOff()) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "h") hidePictures();
    else if (event.key === "?") openDialog("keys");
    else if (!/^[crdp]$/.test(event.key) || !press(event.key)) return;
    event.preventDefault();
  });

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-open]");
    if (opener) openDialog(opener.getAttribute("data-open"));
  });

  document.addEventListener("change", function (event) {
    var box = event.target;
    var tile = box.closest(".tile");
    if (tile && box.matches("[data-tile-colour]")) {
      tile.classList.toggle("has-colour", box.checked);
    } else if (tile && box.matches("[data-tile-large]")) {
      tile.classList.toggle("is-large", box.checked);
    } else if (box.matches("[data-keys-switch]")) {
      try {
        localStorage.setItem(OFF, box.checked ? "0" : "1");
      } catch (refused) {
        /* Storage is off; the keys stay on. */
      }
    }
  });

  document.querySelectorAll("[data-keys-switch]").forEach(function (box) {
    box.checked = !switchedOff();
  });
})();
