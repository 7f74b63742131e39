"""Which addresses lead in, out and to one's own sessions?"""

from django.urls import path

from accounts.views import factors, provider, sessions, signing
from accounts.views.answers import plain

urlpatterns = [
    path("sign-in/", plain(signing.sign_in), name="sign-in"),
    path("sign-in/code/", plain(factors.code), name="sign-in-code"),
    path("sign-in/second-factor/", plain(factors.enrol), name="sign-in-enrol"),
    path("sign-in/key/", plain(factors.key), name="sign-in-key"),
    path("sign-in/second-factor/key/", plain(factors.enrol_key), name="sign-in-enrol-key"),
    path("sign-in/identity/", plain(provider.leave), name="sign-in-identity"),
    path("sign-in/identity/callback/", plain(provider.come_back), name="identity-callback"),
    path("sign-in/password/", plain(signing.password_again), name="password-again"),
    path("sign-in/link/<str:uid>/<str:token>/", plain(signing.choose_password), name="choose-password"),
    path("sign-out/", plain(signing.sign_out), name="sign-out"),
    path("act-for/", plain(signing.act_for), name="act-for"),
    path("sessions/", plain(sessions.sessions), name="sessions"),
    path("sessions/<int:session_id>/end/", plain(sessions.end), name="end-session"),
    path("settings/password/", plain(signing.change_password), name="change-password"),
    path("settings/second-factor/", plain(factors.second_factor), name="second-factor"),
    path("settings/second-factor/codes/", plain(factors.new_codes), name="new-recovery-codes"),
    path("settings/second-factor/<int:factor_id>/remove/", plain(factors.remove), name="remove-factor"),
    path("settings/language/", plain(sessions.set_language), name="set-language"),
    path("settings/theme/", plain(sessions.set_theme), name="set-theme"),
]
