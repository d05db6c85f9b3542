/* The page on which somebody chooses a picture, and only its fingerprint is sent.

   For what: start the worker, show how far it is, let the person cancel, and put the
   fingerprint into the form, which waits for its button. Never does: put the file or
   its name into a form, read it on the page where a worker can, or send anything. */
(function () {
  "use strict";
  var script = document.currentScript;
  var MIN_QUALITY = 50; /* The server compares nothing below it: signals/sign.py. */
  var place = document.querySelector("[data-device]");
  var ready = document.querySelector("[data-ready]");
  if (!place || !window.createImageBitmap || !window.Promise) return;
  var input = place.querySelector("input");
  var working = place.querySelector("[data-working]");
  var bar = place.querySelector("progress");
  var problem = place.querySelector("[data-problem]");
  var run = 0;
  var worker = null;

  function words(code) {
    var said = place.querySelector('[data-say="' + code + '"]');
    return said.content.textContent;
  }

  function say(code) {
    place.querySelector("[data-status]").textContent = words(code);
  }

  function rest() {
    run += 1;
    if (worker) worker.terminate();
    worker = null;
    working.hidden = true;
    input.disabled = false;
    /* The chosen file is let go of: nothing keeps it, nor its name. */
    input.value = "";
  }

  function fail(code) {
    rest();
    problem.textContent = words(code);
    problem.hidden = false;
    input.focus();
  }

  function take(found) {
    if (found.quality < MIN_QUALITY) {
      fail("plain");
      return;
    }
    rest();
    ready.elements.pdq.value = found.forms.join("");
    ready.elements.quality.value = found.quality;
    ready.querySelector("[data-digits]").textContent = found.forms[0];
    ready.hidden = false;
    say("made");
    ready.querySelector("button").focus();
  }

  function hear(answer) {
    if (answer.share !== undefined) bar.value = answer.share;
    else if (answer.problem) fail(answer.problem);
    else take(answer.found);
  }

  function inWorker(file) {
    worker = new Worker(script.getAttribute("data-worker"));
    worker.onmessage = function (event) {
      hear(event.data);
    };
    worker.onerror = function () {
      fail("unreadable");
    };
    worker.postMessage(file);
  }

  /* Where a worker cannot draw (Safari before 16.4), the page does it, strip by strip. */
  function onPage(file) {
    var mine = run;
    function canvasOf(width, height) {
      var canvas = document.createElement("canvas");
      canvas.width = width;
      canvas.height = height;
      return canvas;
    }
    function tell(share) {
      if (mine !== run) throw new Error("cancelled");
      hear({ share: share });
    }
    load(script.getAttribute("data-parts").split(" "))
      .then(function () {
        return window.fingerprintOfPicture(file, canvasOf, tell);
      })
      .then(
        function (found) {
          if (mine === run) take(found);
        },
        function (error) {
          if (mine !== run) return;
          fail(error.message === "too_large" ? "too_large" : "unreadable");
        }
      );
  }

  function load(urls) {
    return urls.reduce(function (before, url) {
      return before.then(function () {
        return new Promise(function (done, failed) {
          var part = document.createElement("script");
          part.src = url;
          part.onload = done;
          part.onerror = failed;
          document.head.appendChild(part);
        });
      });
    }, Promise.resolve());
  }

  input.addEventListener("change", function () {
    var file = input.files[0];
    if (!file) return;
    run += 1;
    problem.hidden = true;
    ready.hidden = true;
    ready.elements.pdq.value = "";
    bar.value = 0;
    working.hidden = false;
    input.disabled = true;
    if (window.Worker && window.OffscreenCanvas) inWorker(file);
    else onPage(file);
  });
  place.querySelector("[data-cancel]").addEventListener("click", function () {
    rest();
    say("cancelled");
    input.focus();
  });
  document.querySelector("[data-without]").hidden = true;
  place.hidden = false;
  if (ready.elements.pdq.value) ready.hidden = false;
})();
