"""Truths that come from libraries or standards, each x (n, d) -> (n,).

Libraries are imported where they are used: each comes with `pip install 'distill[bench]'`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma

from distill.arrays import Array

PRESSURE = 101325.0
"""Standard atmosphere in Pa."""

TYPE_K = (
    -0.176004136860e-01,
    0.389212049750e-01,
    0.185587700320e-04,
    -0.994575928740e-07,
    0.318409457190e-09,
    -0.560728448890e-12,
    0.560750590590e-15,
    -0.320207200030e-18,
    0.971511471520e-22,
    -0.121047212750e-25,
)
TYPE_K_MAGNETIC = (0.118597600000e00, -0.118343200000e-03, 0.126968600000e03)
"""Type K above 0 degC: NIST ITS-90 Thermocouple Database (SRD 60), mV over degC."""


def harmonic_number(x: Array) -> Array:
    """The sum of 1/i for i from 1 to x."""
    return np.asarray(digamma(x[:, 0] + 1) + np.euler_gamma)


def thermocouple_k(x: Array) -> Array:
    """Type K voltage in mV at a temperature in degC, the cold junction at 0 degC."""
    t = x[:, 0]
    size, rate, middle = TYPE_K_MAGNETIC
    voltage = np.polynomial.polynomial.polyval(t, TYPE_K) + size * np.exp(rate * (t - middle) ** 2)
    return np.asarray(np.where((t >= 0) & (t <= 1372), voltage, np.nan))


def wet_bulb(x: Array) -> Array:
    """Wet-bulb temperature in degC at a temperature in degC and a humidity in percent."""
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    # As published it stops a bisection at 0.001 degC: steps that no formula has.
    psychrolib.PSYCHROLIB_TOLERANCE = 1e-11
    return np.array([_wet_bulb(psychrolib, *row) for row in x.tolist()])


def _wet_bulb(psychrolib: Any, temperature: float, humidity: float) -> float:
    if not (10 <= temperature <= 200 and 0 <= humidity <= 100):
        # Below 10 degC it jumps where water and ice meet.
        return float("nan")
    return float(psychrolib.GetTWetBulbFromRelHum(temperature, humidity / 100, PRESSURE))


def pv_power(x: Array) -> Array:
    """Largest power in W of a 60-cell module: irradiance in W/m2, cell temperature in degC.

    The single-diode model of De Soto; the parameters are those of a common 250 W module.
    """
    from pvlib import pvsystem

    if not len(x):
        return np.empty(0)
    irradiance = np.where(x[:, 0] > 0, x[:, 0], np.nan)
    parameters = pvsystem.calcparams_desoto(
        irradiance,
        x[:, 1],
        alpha_sc=0.0044,
        a_ref=1.58,
        I_L_ref=8.88,
        I_o_ref=4.2e-10,
        R_sh_ref=280.0,
        R_s=0.32,
    )
    return np.asarray(pvsystem.max_power_point(*parameters, method="newton")["p_mp"], dtype=float)


def sea_sound(x: Array) -> Array:
    """Speed of sound in m/s at a salinity in g/kg, a temperature in degC and dbar (TEOS-10)."""
    import gsw

    return np.asarray(gsw.sound_speed(x[:, 0], x[:, 1], x[:, 2]), dtype=float)


def water_saturation(x: Array) -> Array:
    """Saturation pressure of water in MPa at a temperature in K (IAPWS-IF97)."""
    from iapws import iapws97

    def pressure(temperature: float) -> float:
        inside = 273.15 <= temperature <= 647.096
        return float(iapws97._PSat_T(temperature)) if inside else float("nan")

    return np.array([pressure(t) for t in x[:, 0].tolist()])


def r134a_saturation(x: Array) -> Array:
    """Saturation pressure of R134a in kPa at a temperature in K (CoolProp)."""
    from CoolProp.CoolProp import PropsSI

    t = x[:, 0]
    answer = np.full(len(t), np.nan)
    inside = (t >= 169.85) & (t <= 374.21)
    if inside.any():
        answer[inside] = np.asarray(PropsSI("P", "T", t[inside], "Q", 0, "R134a")) / 1000
    return answer
