"""Frames → numbers: ratios, exponents, intervals, fronts, and the prepared results that the other folders share.

All functions are pure: frames in, frames and numbers out. No sentence, no table and no figure is made here.
"""
