/* Says when in the reader's own time.

   For what: without scripts a time is that of the server's zone, with its name, which a
   child need not know. Never does: ask or send anything; the device knows its zone. The
   time with its zone stays in the title. */
(function () {
  "use strict";
  if (!window.Intl || !Intl.DateTimeFormat) return;
  var language = document.documentElement.lang;
  var own = navigator.language || "";
  var spoken = own.indexOf(language) === 0 ? own : language === "en" ? "en-GB" : language;
  var written = new Intl.DateTimeFormat(spoken, {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
  document.querySelectorAll("main time[datetime]").forEach(function (time) {
    var said = written.format(new Date(time.getAttribute("datetime")));
    // A voice spells "kl." and stops after it, as at the end of a sentence.
    time.textContent = language === "nb" ? said.replace("kl. ", "klokken ") : said;
  });
})();
