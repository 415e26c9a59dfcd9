"""What is measured, and what a measurement is.

    target process ──agent──┐
         ▲  ▲               │ records
     psutil  py-spy         ▼
         └────┴──► SessionLog ──► Store ──► Reader ──► screen, summary, ...

`records` says what a measurement is, `log` is the one road that all of them take, `intake` keeps
the recent past in bounded memory, `store` answers from it, `reader` is the face that everything
downstream sees.
Nothing here knows a screen.
"""
