"""exchangelib and requests_ntlm (both on pyspnego) against a lab whose Exchange allows or demands channel bindings:
signing in by Basic and NTLM, and NTLM with a right, a missing and a wrong binding."""

from checks import main
from exchangelib_truth import channel_binding, sign_in

if __name__ == "__main__":
    main([sign_in, channel_binding])
