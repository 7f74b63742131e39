"""Which addresses have deliveries and downloads?"""

from django.urls import path

from sharing.exchange import views

urlpatterns = [
    path("data/<int:pk>/deliver/", views.deliver, name="dataset-deliver"),
    path("data/<int:pk>/records/download/", views.download, name="records-download"),
]
