"""Which addresses lead in, out and to one's own sessions?"""

from django.urls import path

from accounts.views import sessions, signing
from accounts.views.answers import plain

urlpatterns = [
    path("sign-in/", plain(signing.sign_in), name="sign-in"),
    path("sign-in/code/", plain(signing.code), name="sign-in-code"),
    path("sign-in/second-factor/", plain(signing.enrol), name="sign-in-enrol"),
    path("sign-in/password/", plain(signing.password_again), name="password-again"),
    path("sign-in/link/<str:uid>/<str:token>/", plain(signing.choose_password), name="choose-password"),
    path("sign-out/", plain(signing.sign_out), name="sign-out"),
    path("act-for/", plain(signing.act_for), name="act-for"),
    path("sessions/", plain(sessions.sessions), name="sessions"),
    path("sessions/<int:session_id>/end/", plain(sessions.end), name="end-session"),
    path("settings/password/", plain(signing.change_password), name="change-password"),
    path("settings/language/", plain(sessions.set_language), name="set-language"),
    path("settings/theme/", plain(sessions.set_theme), name="set-theme"),
]
