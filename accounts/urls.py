"""Which addresses lead in, out and to one's own sessions?"""

from django.urls import path

from accounts.views import sessions, signing

urlpatterns = [
    path("sign-in/", signing.sign_in, name="sign-in"),
    path("sign-in/code/", signing.code, name="sign-in-code"),
    path("sign-in/second-factor/", signing.enrol, name="sign-in-enrol"),
    path("sign-in/password/", signing.password_again, name="password-again"),
    path("sign-in/link/<str:uid>/<str:token>/", signing.choose_password, name="choose-password"),
    path("sign-out/", signing.sign_out, name="sign-out"),
    path("act-for/", signing.act_for, name="act-for"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<int:session_id>/end/", sessions.end, name="end-session"),
    path("settings/language/", sessions.set_language, name="set-language"),
    path("settings/theme/", sessions.set_theme, name="set-theme"),
]
